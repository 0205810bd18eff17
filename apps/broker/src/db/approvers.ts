import type { ChainLink, Credential, DeviceKeys, EcPublicJwk } from "@countersign/shared";
import { type SQL, sql } from "drizzle-orm";
import { limits } from "../domain/limits.js";
import type { Database } from "./client.js";
import { insertLeaf } from "./leaf.js";
import { changeRow, epoch, firstRow, json, rows, secondsFromNow } from "./rows.js";
import {
  approver,
  chainLink,
  credential,
  device,
  invitation,
  nonce,
  session,
} from "./schema/accounts.js";

const changed = sql`changed`;

/** A new passkey and device with the root of their chain, and the session that they open. */
export interface NewKeys {
  approver: string;
  registerNonce: string;
  credentialNonce: string;
  credential: Credential & { counter: number };
  device: DeviceKeys;
  deviceKid: string;
  head: string;
  link: ChainLink;
  sessionHash: string;
}

export interface NewApprover extends NewKeys {
  name: string;
  invitationHash: string;
}

/** Takes both nonces of new keys or neither. Counted before anything is deleted: who took too long may try again. */
export const takeKeyNonces = (
  given: Pick<NewKeys, "registerNonce" | "credentialNonce">,
): SQL => sql`
    held as (
      select value from ${nonce} where expires_at > now() and (
        (value = ${given.registerNonce} and purpose = 'register')
        or (value = ${given.credentialNonce} and purpose = 'credential')) for update
    ), nonces as (
      delete from ${nonce} where value in (select value from held) and (select count(*) from held) = 2
      returning value
    )`;

/** Consumes the invitation and both nonces, and makes approver, keys, chain and session: all or nothing. */
export async function insertApprover(db: Database, given: NewApprover): Promise<boolean> {
  const row = await changeRow(
    db,
    "enrol",
    sql`with ${takeKeyNonces(given)}, invited as (
      delete from ${invitation} where hash = ${given.invitationHash} and expires_at > now()
        and (select count(*) from nonces) = 2 returning hash
    ), changed as (
      insert into ${approver} (id, name)
      select ${given.approver}, ${given.name} from invited
      returning id
    ), credentials as (
      insert into ${credential} (id, approver, jwk, be, counter)
      select ${given.credential.id}, id, ${json(given.credential.jwk)}, ${given.credential.be},
        ${given.credential.counter}::bigint from changed
    ), devices as (
      insert into ${device} (kid, approver, sig_jwk, enc_jwk)
      select ${given.deviceKid}, id, ${json(given.device.sig_jwk)}, ${json(given.device.enc_jwk)} from changed
    ), chain as (
      insert into ${chainLink} (approver, seq, head, link)
      select id, 0, ${given.head}, ${json(given.link)} from changed
    ), signed_in as (
      insert into ${session} (hash, approver, credential_id, device_kid, expires_at)
      select ${given.sessionHash}, id, ${given.credential.id}, ${given.deviceKid}, ${secondsFromNow(limits.sessionSeconds)} from changed
    ), logged as (${insertLeaf(changed, { kind: "enrol", digest: given.head })})
    select id from changed`,
  );
  return row !== undefined;
}

export async function countApprovers(db: Database): Promise<number> {
  const row = await firstRow<{ count: number }>(
    db,
    sql`select count(*)::float8 as count from ${approver}`,
  );
  return row?.count ?? 0;
}

/** Stores an invitation by its hash. The first one, printed at the start, replaces the one printed before it. */
export async function insertInvitation(
  db: Database,
  given: { hash: string; createdBy: string | null },
): Promise<number | undefined> {
  const row = await firstRow<{ expires_at: number }>(
    db,
    sql`with replaced as (
      delete from ${invitation} where created_by is null and ${given.createdBy}::text is null
    ), changed as (
      insert into ${invitation} (hash, created_by, expires_at)
      values (${given.hash}, ${given.createdBy}, ${secondsFromNow(limits.invitationSeconds)})
      returning expires_at
    ), logged as (${insertLeaf(changed, { kind: "invite", digest: given.hash })})
    select ${epoch(sql`expires_at`)} as expires_at from changed`,
  );
  return row?.expires_at;
}

export async function invitationIsOpen(db: Database, hash: string): Promise<boolean> {
  const row = await firstRow(
    db,
    sql`select hash from ${invitation} where hash = ${hash} and expires_at > now()`,
  );
  return row !== undefined;
}

export interface ApproverRow {
  approver: string;
  name: string;
}

export interface CredentialRow extends Credential {
  created_at: number;
  revoked_at: number | null;
}

export interface DeviceRow {
  device_kid: string;
  sig_jwk: EcPublicJwk;
  enc_jwk: EcPublicJwk;
  created_at: number;
  revoked_at: number | null;
}

export function listCredentials(db: Database, approverId: string): Promise<CredentialRow[]> {
  return rows(
    db,
    sql`select id, jwk, be, ${epoch(sql`created_at`)} as created_at, ${epoch(sql`revoked_at`)} as revoked_at
      from ${credential} where approver = ${approverId} order by created_at, id`,
  );
}

export function listDevices(db: Database, approverId: string): Promise<DeviceRow[]> {
  return rows(
    db,
    sql`select kid as device_kid, sig_jwk, enc_jwk, ${epoch(sql`created_at`)} as created_at,
        ${epoch(sql`revoked_at`)} as revoked_at
      from ${device} where approver = ${approverId} order by created_at, kid`,
  );
}

/** The public keys of an approver that were not revoked. */
export interface LiveKeys {
  credentials: Credential[];
  devices: DeviceKeys[];
}

/** As columns of whatever else is asked: every decision needs them. */
export const liveKeys = (approverId: string): SQL => sql`(
    select coalesce(jsonb_agg(jsonb_build_object('id', id, 'jwk', jwk, 'be', be) order by created_at, id), '[]')
    from ${credential} where approver = ${approverId} and revoked_at is null
  ) as credentials, (
    select coalesce(jsonb_agg(jsonb_build_object('sig_jwk', sig_jwk, 'enc_jwk', enc_jwk) order by created_at, kid), '[]')
    from ${device} where approver = ${approverId} and revoked_at is null
  ) as devices`;

export async function listLiveKeys(db: Database, approverId: string): Promise<LiveKeys> {
  const row = await firstRow<LiveKeys>(db, sql`select ${liveKeys(approverId)}`);
  return row ?? { credentials: [], devices: [] };
}

/** The credential of this id and whose it is, unless it was revoked. */
export function findCredential(
  db: Database,
  credentialId: string,
): Promise<(Credential & { approver: string; user_handle: string }) | undefined> {
  return firstRow(
    db,
    sql`select id, jwk, be, approver, coalesce(user_handle, approver) as user_handle
      from ${credential} where id = ${credentialId} and revoked_at is null`,
  );
}

export function findApprover(db: Database, approverId: string): Promise<ApproverRow | undefined> {
  return firstRow(db, sql`select id as approver, name from ${approver} where id = ${approverId}`);
}

/** The key chain from its root on; a recovery began a new one. */
export function listChain(
  db: Database,
  approverId: string,
): Promise<{ seq: number; head: string; link: ChainLink }[]> {
  return rows(
    db,
    sql`select c.seq, c.head, c.link from ${chainLink} c
      join ${approver} a on a.id = c.approver and a.generation = c.generation
      where c.approver = ${approverId} order by c.seq`,
  );
}
