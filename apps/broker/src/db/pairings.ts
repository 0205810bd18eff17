import type {
  EcPublicJwk,
  PairingAcceptance,
  PairingState,
  SignedFreeze,
} from "@countersign/shared";
import { sql } from "drizzle-orm";
import { limits } from "../domain/limits.js";
import type { Database } from "./client.js";
import { insertLeaf } from "./leaf.js";
import { changeRow, epoch, firstRow, json, rows, textArray } from "./rows.js";
import { agent, agentFreeze, credential, device, nonce, pairing } from "./schema/accounts.js";

const changed = sql`changed`;

export interface PairingRow {
  pairing_id: string;
  client_id: string;
  offer: string;
  state: PairingState;
  approver: string | null;
  acceptance: PairingAcceptance | null;
  nonce: string | null;
  expires_at: number;
}

const open = sql`state in ('offered', 'accepted', 'revealed') and expires_at > now()`;

/** Stores an agent's offer; offering the same again changes nothing. */
export async function insertPairing(
  db: Database,
  given: { id: string; clientId: string; offer: string; expiresAt: number },
): Promise<void> {
  await changeRow(
    db,
    "offer",
    sql`insert into ${pairing} (id, client_id, offer, state, expires_at)
      values (${given.id}, ${given.clientId}, ${given.offer}, 'offered', to_timestamp(${given.expiresAt}::float8))
      on conflict (id) do nothing returning id`,
  );
}

/** Past its time an open pairing has ended, even before it was deleted. */
export function findPairing(db: Database, id: string): Promise<PairingRow | undefined> {
  return firstRow<PairingRow>(
    db,
    sql`select id as pairing_id, client_id, offer,
        case when state = 'live' or (${open}) then state else 'ended' end as state,
        approver, acceptance, nonce, ${epoch(sql`expires_at`)} as expires_at
      from ${pairing} where id = ${id}`,
  );
}

/** Takes the one P that a pairing ever gets, and consumes its nonce. */
export async function acceptPairing(
  db: Database,
  given: {
    id: string;
    approver: string;
    credentialId: string;
    deviceKid: string;
    brokerNonce: string;
    acceptance: PairingAcceptance;
  },
): Promise<boolean> {
  const row = await changeRow(
    db,
    "accept",
    sql`with consumed as (
      delete from ${nonce} where value = ${given.brokerNonce} and purpose = 'pair' and expires_at > now() returning value
    )
    update ${pairing} set state = 'accepted', approver = ${given.approver},
      acceptance = ${json(given.acceptance)}
    from consumed
    where id = ${given.id} and state = 'offered' and ${pairing}.expires_at > now()
      and exists (select 1 from ${credential} where id = ${given.credentialId}
        and approver = ${given.approver} and revoked_at is null)
      and exists (select 1 from ${device} where kid = ${given.deviceKid}
        and approver = ${given.approver} and revoked_at is null)
    returning ${pairing}.id`,
  );
  return row !== undefined;
}

export async function revealNonce(
  db: Database,
  given: { id: string; clientId: string; nonce: string },
): Promise<boolean> {
  const row = await changeRow(
    db,
    "reveal",
    sql`update ${pairing} set state = 'revealed', nonce = ${given.nonce}
      where id = ${given.id} and client_id = ${given.clientId} and state = 'accepted' and expires_at > now()
      returning id`,
  );
  return row !== undefined;
}

/** Makes the pairing live, in place of an earlier one of the same two; from now on the agent can authenticate. */
export async function confirmPairing(
  db: Database,
  given: {
    id: string;
    clientId: string;
    jwk: EcPublicJwk;
    name: string;
    host: string;
    digest: string;
  },
): Promise<boolean> {
  const row = await changeRow(
    db,
    "confirm",
    sql`with changed as (
      update ${pairing} set state = 'live', live_at = now(), nonce = null
      where id = ${given.id} and client_id = ${given.clientId} and state = 'revealed' and expires_at > now()
      returning id
    ), registered as (
      insert into ${agent} (client_id, jwk, name, host)
      select ${given.clientId}, ${json(given.jwk)}, ${given.name}, ${given.host} from changed
      on conflict (client_id) do update set name = excluded.name, host = excluded.host
    ), logged as (${insertLeaf(changed, { kind: "pair", digest: given.digest })})
    select id from changed`,
  );
  return row !== undefined;
}

/** Ends a pairing that never became live. */
export async function abandonPairing(
  db: Database,
  given: { id: string; clientId: string },
): Promise<boolean> {
  const row = await firstRow(
    db,
    sql`update ${pairing} set state = 'ended', nonce = null
      where id = ${given.id} and client_id = ${given.clientId} and ${open} returning id`,
  );
  return row !== undefined;
}

/** Ends a live pairing. What its agent has open with this approver is for the caller to cancel. */
export async function endPairing(
  db: Database,
  given: { id: string; clientId: string; approver: string },
): Promise<boolean> {
  const row = await changeRow(
    db,
    "unpair",
    sql`with changed as (
      update ${pairing} set state = 'ended'
      where id = ${given.id} and client_id = ${given.clientId} and approver = ${given.approver} and state = 'live'
      returning id
    ), logged as (${insertLeaf(changed, { kind: "unpair", digest: given.id })})
    select id from changed`,
  );
  return row !== undefined;
}

export function findLivePairing(
  db: Database,
  given: { clientId: string; approver: string },
): Promise<{ pairing_id: string; acceptance: PairingAcceptance } | undefined> {
  return firstRow(
    db,
    sql`select id as pairing_id, acceptance from ${pairing}
      where client_id = ${given.clientId} and approver = ${given.approver} and state = 'live'`,
  );
}

/** P of everybody among these approvers with whom the agent is paired. */
export function listAcceptances(
  db: Database,
  given: { clientId: string; approvers: readonly string[] },
): Promise<{ approver: string; acceptance: PairingAcceptance }[]> {
  return rows(
    db,
    sql`select approver, acceptance from ${pairing} where client_id = ${given.clientId} and state = 'live'
      and approver = any(${textArray(given.approvers)})
      order by approver`,
  );
}

/** The key of an agent that somebody is still paired with. */
export async function findLiveAgent(
  db: Database,
  clientId: string,
): Promise<EcPublicJwk | undefined> {
  const row = await firstRow<{ jwk: EcPublicJwk }>(
    db,
    sql`select a.jwk from ${agent} a where a.client_id = ${clientId}
      and exists (select 1 from ${pairing} p where p.client_id = a.client_id and p.state = 'live')`,
  );
  return row?.jwk;
}

export interface AgentRow {
  client_id: string;
  pairing_id: string;
  name: string;
  host: string;
  paired_at: number;
  last_seen_at: number | null;
  agent_jwk: EcPublicJwk;
  acceptance: PairingAcceptance;
  freeze: SignedFreeze | null;
}

export function listAgents(db: Database, approver: string): Promise<AgentRow[]> {
  return rows(
    db,
    sql`select a.client_id, p.id as pairing_id, a.name, a.host, ${epoch(sql`p.live_at`)} as paired_at,
        ${epoch(sql`a.last_seen_at`)} as last_seen_at, a.jwk as agent_jwk, p.acceptance, f.signed as "freeze"
      from ${pairing} p join ${agent} a on a.client_id = p.client_id
      left join ${agentFreeze} f on f.client_id = p.client_id and f.approver = p.approver
      where p.approver = ${approver} and p.state = 'live' order by a.name, a.client_id
      limit ${limits.listPageSize}`,
  );
}
