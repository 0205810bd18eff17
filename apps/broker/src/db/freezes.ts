import type { SignedFreeze } from "@countersign/shared";
import { type SQL, sql } from "drizzle-orm";
import { lifecycle } from "../domain/lifecycle.js";
import type { Database } from "./client.js";
import { insertLeaf, insertLeaves } from "./leaf.js";
import { changeRow, firstRow, json, rows, words } from "./rows.js";
import { agent, agentFreeze, credential, device, nonce, pairing } from "./schema/accounts.js";
import { authorizationRequest as request } from "./schema/requests.js";

const changed = sql`changed`;

/** An approver who is paired with this agent has frozen it. */
export const agentIsFrozen = (clientId: SQL): SQL => sql`exists (
  select 1 from ${agentFreeze} f join ${pairing} p on p.client_id = f.client_id and p.approver = f.approver
  where f.client_id = ${clientId} and f.op = 'freeze' and p.state = 'live')`;

export async function isFrozen(db: Database, clientId: string): Promise<boolean> {
  const row = await firstRow<{ frozen: boolean }>(
    db,
    sql`select ${agentIsFrozen(sql`${clientId}`)} as frozen`,
  );
  return row?.frozen === true;
}

export interface NewFreeze {
  approver: string;
  clientId: string;
  seq: number;
  op: "freeze" | "unfreeze";
  freeze: SignedFreeze;
  digest: string;
  deviceKid: string;
  /** The credential and the nonce of the assertion that lifts. */
  lifting: { credentialId: string; brokerNonce: string } | null;
}

/** What stands between F and being the next: one statement later, everything. */
const upsert = (given: NewFreeze): SQL => sql`
  insert into ${agentFreeze} as f (approver, client_id, seq, op, signed)
  select p.approver, p.client_id, ${given.seq}::int, ${given.op}, ${json(given.freeze)}
  from ${pairing} p ${given.lifting ? sql`, consumed` : sql``}
  where p.client_id = ${given.clientId} and p.approver = ${given.approver} and p.state = 'live'
    and exists (select 1 from ${device} where kid = ${given.deviceKid}
      and approver = ${given.approver} and revoked_at is null)
    and (${given.seq}::int = 1 and ${given.op} = 'freeze' or exists (select 1 from ${agentFreeze} before
      where before.client_id = p.client_id and before.approver = p.approver))
  on conflict (client_id, approver) do update
    set seq = excluded.seq, op = excluded.op, signed = excluded.signed
    where f.seq = excluded.seq - 1 and f.op <> excluded.op
  returning client_id`;

const counted = (done: SQL): SQL => sql`counted as (
  update ${agent} a set freezes = a.freezes + 1 from ${done} where a.client_id = ${done}.client_id)`;

/**
 * Claims the agent, while nobody froze it, as it was in this statement's snapshot. Whoever changed its row
 * meanwhile, by a freeze or by another request, is waited for; then the row is another one and is not claimed.
 * One lock and no weaker one before it: two statements that both upgraded theirs would wait for each other.
 */
export const claimAwakeAgent = (clientId: string): SQL => sql`
  update ${agent} a set last_seen_at = now()
  where a.client_id = ${clientId} and not ${agentIsFrozen(sql`a.client_id`)}
    and a.xmin = (select now.xmin from ${agent} now where now.client_id = ${clientId})
  returning a.client_id`;

/**
 * Freezes an agent: F, and with it the denial of these open requests of the agent, in one statement.
 * @param rids what is open; whatever came meanwhile is for {@link denyByFreeze}
 * @returns the requests that it denied; undefined when F is not the next
 */
export async function insertFreeze(
  db: Database,
  given: NewFreeze & { rids: readonly string[] },
): Promise<{ rid: string; approvers: string[] }[] | undefined> {
  const row = await changeRow<{ denied: { rid: string; approvers: string[] }[] }>(
    db,
    "freeze",
    sql`with frozen as (${upsert(given)}), ${counted(sql`frozen`)},
    changed as (${deny(sql`, frozen where r.client_id = frozen.client_id`, given)}),
    logged as (${insertLeaf(sql`frozen`, { kind: "freeze", digest: given.digest })}),
    denials as (${insertLeaves(changed, { kind: "deny", digest: given.digest, rids: given.rids })})
    select coalesce((select jsonb_agg(jsonb_build_object('rid', rid, 'approvers', to_jsonb(approvers)))
      from changed), '[]'::jsonb) as denied from frozen`,
  );
  return row?.denied;
}

/** Denies what was asked in the moment that the agent was frozen. */
export function denyByFreeze(
  db: Database,
  given: { clientId: string; freeze: SignedFreeze; digest: string; rids: readonly string[] },
): Promise<{ rid: string; approvers: string[] }[]> {
  return rows(
    db,
    sql`with changed as (${deny(sql`where r.client_id = ${given.clientId}`, given)}),
    denials as (${insertLeaves(changed, { kind: "deny", digest: given.digest, rids: given.rids })})
    select rid, to_jsonb(approvers) as approvers from changed`,
  );
}

const deny = (where: SQL, given: { freeze: SignedFreeze; rids: readonly string[] }): SQL => sql`
  update ${request} r set state = ${lifecycle.deny.to}, settled_at = now(), frozen_by = ${json(given.freeze)}
  from (select jsonb_array_elements_text(${JSON.stringify(given.rids)}::jsonb) as rid) named ${where}
    and r.rid = named.rid and r.state in (${open}) and r.expires_at > now()
  returning r.rid, r.approvers`;

const open = sql.join(
  lifecycle.deny.from.map((state) => sql`${state}`),
  sql`, `,
);

/** What this agent has open, with whomever. */
export async function listOpen(db: Database, clientId: string): Promise<string[]> {
  const found = await rows<{ rid: string }>(
    db,
    sql`select r.rid from ${request} r
      where r.client_id = ${clientId} and r.state in (${words(lifecycle.deny.from)}) and r.expires_at > now()`,
  );
  return found.map(({ rid }) => rid);
}

/** Lifts a freeze, while the credential that signed for it is alive. */
export async function insertLift(db: Database, given: NewFreeze): Promise<boolean> {
  const { lifting } = given;
  const row = await changeRow(
    db,
    "lift",
    sql`with consumed as (
      delete from ${nonce} where value = ${lifting?.brokerNonce ?? ""} and purpose = 'freeze' and expires_at > now()
        and exists (select 1 from ${credential} where id = ${lifting?.credentialId ?? ""}
          and approver = ${given.approver} and revoked_at is null)
      returning value
    ), changed as (${upsert(given)}), ${counted(changed)},
    logged as (${insertLeaf(changed, { kind: "freeze", digest: given.digest })})
    select client_id from changed`,
  );
  return row !== undefined;
}

/** The latest F of an approver about an agent. */
export function findFreeze(
  db: Database,
  given: { clientId: string; approver: string },
): Promise<{ seq: number; op: "freeze" | "unfreeze"; freeze: SignedFreeze } | undefined> {
  return firstRow(
    db,
    sql`select seq, op, signed as "freeze" from ${agentFreeze}
      where client_id = ${given.clientId} and approver = ${given.approver}`,
  );
}

/** Whoever said something about this agent, and how often: for its event stream. */
export function listFreezes(
  db: Database,
  clientId: string,
): Promise<{ approver: string; seq: number }[]> {
  return rows(
    db,
    sql`select f.approver, f.seq from ${agentFreeze} f
      join ${pairing} p on p.client_id = f.client_id and p.approver = f.approver and p.state = 'live'
      where f.client_id = ${clientId} order by f.approver`,
  );
}
