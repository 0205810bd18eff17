import { sql } from "drizzle-orm";
import { lifecycle } from "../domain/lifecycle.js";
import { limits } from "../domain/limits.js";
import { type NewKeys, takeKeyNonces } from "./approvers.js";
import type { Database } from "./client.js";
import { insertLeaf } from "./leaf.js";
import { changeRow, epoch, firstRow, json, rows, secondsFromNow, textArray } from "./rows.js";
import {
  approver,
  chainLink,
  credential,
  device,
  nonce,
  pairing,
  recovery,
  recoveryCode,
  session,
} from "./schema/accounts.js";
import { ceremony, authorizationRequest as request } from "./schema/requests.js";

const changed = sql`changed`;

/** Replaces an approver's codes, and consumes the nonce. */
export async function replaceCodes(
  db: Database,
  given: {
    approver: string;
    hashes: readonly string[];
    brokerNonce: string;
    credentialId: string;
    deviceKid: string;
    digest: string;
  },
): Promise<boolean> {
  const row = await changeRow(
    db,
    "codes",
    sql`with changed as (
      delete from ${nonce} where value = ${given.brokerNonce} and purpose = 'recovery' and expires_at > now()
        and exists (select 1 from ${credential} where id = ${given.credentialId}
          and approver = ${given.approver} and revoked_at is null)
        and exists (select 1 from ${device} where kid = ${given.deviceKid}
          and approver = ${given.approver} and revoked_at is null)
      returning value
    ), ended as (
      delete from ${recoveryCode} c using changed where c.approver = ${given.approver}
    ), made as (
      insert into ${recoveryCode} (hash, approver)
      select unnest(${textArray(given.hashes)}), ${given.approver} from changed
    ), logged as (${insertLeaf(changed, { kind: "recovery", digest: given.digest })})
    select value from changed`,
  );
  return row !== undefined;
}

/** Spends a code on the one recovery that may be under way. */
export function startRecovery(
  db: Database,
  given: { id: string; codeHash: string },
): Promise<{ approver: string } | undefined> {
  return changeRow(
    db,
    "recover",
    sql`with spent as (
      delete from ${recoveryCode} c where c.hash = ${given.codeHash}
        and not exists (select 1 from ${recovery} r where r.approver = c.approver and r.expires_at > now())
      returning c.approver
    ), changed as (
      insert into ${recovery} as r (approver, id, code_hash, started_at, ready_at, expires_at)
      select approver, ${given.id}, ${given.codeHash}, now(), ${secondsFromNow(limits.recoveryWaitSeconds)},
        ${secondsFromNow(limits.recoveryWaitSeconds + limits.recoveryOpenSeconds)} from spent
      on conflict (approver) do update set id = excluded.id, code_hash = excluded.code_hash,
        started_at = excluded.started_at, ready_at = excluded.ready_at, expires_at = excluded.expires_at
        where r.expires_at <= now()
      returning approver
    ), logged as (${insertLeaf(changed, { kind: "recovery", digest: given.codeHash })})
    select approver from changed`,
  );
}

export interface RecoveryRow {
  approver: string;
  name: string;
  id: string;
  ready_at: number;
  ready: boolean;
}

/** The recovery that was begun with this code. */
export function findRecovery(db: Database, codeHash: string): Promise<RecoveryRow | undefined> {
  return firstRow(
    db,
    sql`select r.approver, a.name, r.id, ${epoch(sql`r.ready_at`)} as ready_at, r.ready_at <= now() as ready
      from ${recovery} r join ${approver} a on a.id = r.approver
      where r.code_hash = ${codeHash} and r.expires_at > now()`,
  );
}

/** Whether this code can still begin a recovery. */
export async function codeIsOpen(db: Database, codeHash: string): Promise<boolean> {
  const row = await firstRow(db, sql`select hash from ${recoveryCode} where hash = ${codeHash}`);
  return row !== undefined;
}

export async function countCodes(db: Database, approverId: string): Promise<number> {
  const row = await firstRow<{ count: number }>(
    db,
    sql`select count(*)::float8 as count from ${recoveryCode} where approver = ${approverId}`,
  );
  return row?.count ?? 0;
}

export function findPendingRecovery(
  db: Database,
  approverId: string,
): Promise<{ recovery_id: string; started_at: number; ready_at: number } | undefined> {
  return firstRow(
    db,
    sql`select id as recovery_id, ${epoch(sql`started_at`)} as started_at, ${epoch(sql`ready_at`)} as ready_at
      from ${recovery} where approver = ${approverId} and expires_at > now()`,
  );
}

export async function cancelRecovery(
  db: Database,
  given: { approver: string; id: string; deviceKid: string; digest: string },
): Promise<boolean> {
  const row = await changeRow(
    db,
    "stop",
    sql`with changed as (
      delete from ${recovery} where approver = ${given.approver} and id = ${given.id}
        and exists (select 1 from ${device} where kid = ${given.deviceKid}
          and approver = ${given.approver} and revoked_at is null)
      returning id
    ), logged as (${insertLeaf(changed, { kind: "recovery", digest: given.digest })})
    select id from changed`,
  );
  return row !== undefined;
}

export interface CompletedRecovery extends NewKeys {
  codeHash: string;
}

/**
 * Gives the account to new keys: a chain of its own, everything of the old keys ended, pairings too. Agents
 * pinned the old keys, so this is power over none of them.
 */
export async function completeRecovery(db: Database, given: CompletedRecovery): Promise<boolean> {
  const row = await changeRow(
    db,
    "recovered",
    sql`with ${takeKeyNonces(given)}, due as (
      delete from ${recovery} where approver = ${given.approver} and code_hash = ${given.codeHash}
        and ready_at <= now() and expires_at > now() and (select count(*) from nonces) = 2
      returning approver
    ), changed as (
      update ${approver} a set generation = a.generation + 1 from due where a.id = due.approver
      returning a.id, a.generation
    ), credentials as (
      update ${credential} k set revoked_at = now() from changed
      where k.approver = changed.id and k.revoked_at is null
    ), devices as (
      update ${device} k set revoked_at = now() from changed
      where k.approver = changed.id and k.revoked_at is null
    ), sessions as (delete from ${session} s using changed where s.approver = changed.id
    ), ceremonies as (
      update ${ceremony} c set consumed_at = now() from changed
      where c.approver = changed.id and c.consumed_at is null
    ), codes as (delete from ${recoveryCode} c using changed where c.approver = changed.id
    ), pairings as (
      update ${pairing} p set state = 'ended', nonce = null from changed
      where p.approver = changed.id and p.state <> 'ended'
    ), new_credential as (
      insert into ${credential} (id, approver, jwk, be, counter)
      select ${given.credential.id}, id, ${json(given.credential.jwk)}, ${given.credential.be},
        ${given.credential.counter}::bigint from changed
    ), new_device as (
      insert into ${device} (kid, approver, sig_jwk, enc_jwk)
      select ${given.deviceKid}, id, ${json(given.device.sig_jwk)}, ${json(given.device.enc_jwk)} from changed
    ), root as (
      insert into ${chainLink} (approver, generation, seq, head, link)
      select id, generation, 0, ${given.head}, ${json(given.link)} from changed
    ), signed_in as (
      insert into ${session} (hash, approver, credential_id, device_kid, expires_at)
      select ${given.sessionHash}, id, ${given.credential.id}, ${given.deviceKid},
        ${secondsFromNow(limits.sessionSeconds)} from changed
    ), logged as (${insertLeaf(changed, { kind: "recovery", digest: given.head })})
    select id from changed`,
  );
  return row !== undefined;
}

/** What waits for this approver or was approved with them. */
export function listOpenFor(
  db: Database,
  approverId: string,
): Promise<{ rid: string; ar_hash: string; client_id: string; approvers: string[] }[]> {
  return rows(
    db,
    sql`select r.rid, r.ar_hash, r.client_id, to_jsonb(r.approvers) as approvers from ${request} r
      where r.approvers @> array[${approverId}] and r.expires_at > now()
        and r.state in (${sql.join(
          lifecycle.cancel.from.map((state) => sql`${state}`),
          sql`, `,
        )})`,
  );
}
