import type { EcPublicJwk } from "@countersign/shared";
import { sql } from "drizzle-orm";
import { limits } from "../domain/limits.js";
import type { ApproverRow } from "./approvers.js";
import type { Database } from "./client.js";
import { epoch, firstRow, json, rows, secondsFromNow } from "./rows.js";
import {
  agent,
  approver,
  credential,
  device,
  deviceLink,
  invitation,
  nonce,
  pairing,
  recovery,
  session,
} from "./schema/accounts.js";
import { usedProof } from "./schema/limits.js";

export type NoncePurpose =
  | "register"
  | "credential"
  | "device"
  | "login"
  | "pair"
  | "freeze"
  | "recovery";

/** Stores a nonce for one ceremony. */
export async function insertNonce(
  db: Database,
  given: { value: string; purpose: NoncePurpose },
): Promise<number | undefined> {
  const row = await firstRow<{ expires_at: number }>(
    db,
    sql`insert into ${nonce} (value, purpose, expires_at)
      values (${given.value}, ${given.purpose}, ${secondsFromNow(limits.nonceSeconds)})
      returning ${epoch(sql`expires_at`)} as expires_at`,
  );
  return row?.expires_at;
}

/** Signs in: consumes the nonce and makes the session, while the credential is alive. */
export async function insertSession(
  db: Database,
  given: {
    hash: string;
    approver: string;
    credentialId: string;
    deviceKid: string | null;
    nonce: string;
  },
): Promise<boolean> {
  const row = await firstRow(
    db,
    sql`with consumed as (
      delete from ${nonce} where value = ${given.nonce} and purpose = 'login' and expires_at > now() returning value
    )
    insert into ${session} (hash, approver, credential_id, device_kid, expires_at)
    select ${given.hash}, ${given.approver}, ${given.credentialId}, ${given.deviceKid},
      ${secondsFromNow(limits.sessionSeconds)} from consumed
    where exists (select 1 from ${credential} where id = ${given.credentialId}
      and approver = ${given.approver} and revoked_at is null)
    returning hash`,
  );
  return row !== undefined;
}

/** Session `s` has not run out, and neither its passkey nor its device was revoked. */
export const sessionIsAlive = sql`s.expires_at > now()
  and exists (select 1 from ${credential} c where c.id = s.credential_id and c.revoked_at is null)
  and not exists (select 1 from ${device} d where d.kid = s.device_kid and d.revoked_at is not null)`;

/** Asked on every call: a session whose passkey or device was revoked a moment ago is none. */
export function findSession(db: Database, hash: string): Promise<ApproverRow | undefined> {
  return firstRow(
    db,
    sql`select a.id as approver, a.name from ${session} s join ${approver} a on a.id = s.approver
      where s.hash = ${hash} and ${sessionIsAlive}`,
  );
}

export async function deleteSession(db: Database, hash: string): Promise<void> {
  await rows(db, sql`delete from ${session} where hash = ${hash}`);
}

interface Proof {
  hash: string;
  expiresAt: number;
}

/** Marks a proof as used. @returns false when it had been used before */
export async function useProof(db: Database, { hash, expiresAt }: Proof): Promise<boolean> {
  const used = await firstRow(
    db,
    sql`insert into ${usedProof} (hash, expires_at) values (${hash}, to_timestamp(${expiresAt}::float8))
      on conflict (hash) do nothing returning hash`,
  );
  return used !== undefined;
}

/**
 * Marks proofs as used by an agent, while somebody is paired with it.
 * @param given `seen`: it is noted to have been here; at most once a minute, since that is for people to read
 * @returns the agent's key, and whether none of the proofs had been used before
 */
export function useAgentProofs(
  db: Database,
  given: { clientId: string; proofs: readonly Proof[]; seen?: true },
): Promise<{ jwk: EcPublicJwk; fresh: boolean } | undefined> {
  const { clientId, proofs, seen = false } = given;
  return firstRow(
    db,
    sql`with live as (
      select a.client_id, a.jwk from ${agent} a where a.client_id = ${clientId}
        and exists (select 1 from ${pairing} p where p.client_id = a.client_id and p.state = 'live')
    ), used as (
      insert into ${usedProof} (hash, expires_at)
      select p.hash, to_timestamp(p."expiresAt") from live,
        jsonb_to_recordset(${json(proofs)}) as p(hash text, "expiresAt" float8)
      on conflict (hash) do nothing returning hash
    ), noted as (
      update ${agent} a set last_seen_at = now() from live
      where a.client_id = live.client_id and ${seen}::boolean and exists (select 1 from used)
        and (a.last_seen_at is null or a.last_seen_at < now() - interval '1 minute')
    )
    select jwk, (select count(*) from used) = ${proofs.length}::int as fresh from live`,
  );
}

/** Deletes what has run out and is kept for nothing. */
export async function purgeEphemeral(db: Database): Promise<void> {
  await rows(
    db,
    sql`with proofs as (delete from ${usedProof} where expires_at < now()),
      nonces as (delete from ${nonce} where expires_at < now()),
      invitations as (delete from ${invitation} where expires_at < now()),
      links as (delete from ${deviceLink} where expires_at < now()),
      recoveries as (delete from ${recovery} where expires_at < now()),
      sessions as (delete from ${session} where expires_at < now())
    delete from ${pairing} where live_at is null and expires_at < now()`,
  );
}
