import type {
  ChainLink,
  EcPublicJwk,
  KeyStatement,
  LinkedKeys,
  Vouching,
} from "@countersign/shared";
import { linkSeconds, thumbprint } from "@countersign/shared";
import { type SQL, sql } from "drizzle-orm";
import type { Database } from "./client.js";
import { insertLeaf } from "./leaf.js";
import { changeRow, epoch, firstRow, json, secondsFromNow } from "./rows.js";
import {
  approver,
  chainLink,
  credential,
  device,
  deviceLink,
  nonce,
  session,
} from "./schema/accounts.js";
import { ceremony } from "./schema/requests.js";

const changed = sql`changed`;

export interface NewKey {
  statement: KeyStatement;
  purpose: "credential" | "device";
  head: string;
  link: ChainLink;
  userHandle: string | null;
  deviceLink: { linkId: string; vouching: Vouching } | null;
}

/**
 * Continues a chain by one link, with what it changes, in one statement: a compare-and-set on the head. Of two
 * continuations at once the second fails on the primary key. Consumes the nonce, and the link of a new phone.
 */
export async function appendKey(db: Database, given: NewKey): Promise<boolean> {
  const { statement } = given;
  const row = await changeRow(
    db,
    "key",
    sql`with consumed as (
      delete from ${nonce} where value = ${statement.broker_nonce} and purpose = ${given.purpose}
        and expires_at > now() returning value
    ), ${linked(given)}
    changed as (
      insert into ${chainLink} (approver, generation, seq, head, link)
      select a.id, a.generation, ${statement.seq}::int, ${given.head}, ${json(given.link)}
      from ${approver} a, consumed ${given.deviceLink ? sql`, linked` : sql``}
      where a.id = ${statement.approver} and exists (
        select 1 from ${chainLink} c where c.approver = a.id and c.generation = a.generation
          and c.seq = ${statement.seq}::int - 1 and c.head = ${statement.prev})
      returning approver
    ), ${effects(given)},
    logged as (${insertLeaf(changed, { kind: "key", digest: given.head })})
    select approver from changed`,
  );
  return row !== undefined;
}

const linked = ({ deviceLink: link }: NewKey): SQL =>
  link
    ? sql`linked as (
      update ${deviceLink} set vouching = ${json(link.vouching)}
      where id = ${link.linkId} and vouching is null and expires_at > now() returning id
    ),`
    : sql``;

function effects({ statement, userHandle }: NewKey): SQL {
  const { op, subject } = statement;
  if (op === "add") {
    return "credential" in subject
      ? sql`added as (
        insert into ${credential} (id, approver, jwk, be, user_handle, counter)
        select ${subject.credential.id}, approver, ${json(subject.credential.jwk)}, ${subject.credential.be},
          ${userHandle}, 0 from changed
      )`
      : sql`added as (
        insert into ${device} (kid, approver, sig_jwk, enc_jwk)
        select ${thumbprint(subject.device.sig_jwk)}, approver, ${json(subject.device.sig_jwk)},
          ${json(subject.device.enc_jwk)} from changed
      )`;
  }
  // Ceremonies that any of the approver's passkeys may answer end with one of them; opening again costs nothing.
  if ("credential_id" in subject) {
    return sql`revoked as (
      update ${credential} k set revoked_at = now() from changed
      where k.id = ${subject.credential_id} and k.approver = changed.approver and k.revoked_at is null
    ), signed_out as (
      delete from ${session} s using changed
      where s.approver = changed.approver and s.credential_id = ${subject.credential_id}
    ), closed as (
      update ${ceremony} c set consumed_at = now() from changed
      where c.approver = changed.approver and c.consumed_at is null
    )`;
  }
  // A session that never proved its device may be this one's: it signs in again.
  return sql`revoked as (
    update ${device} k set revoked_at = now() from changed
    where k.kid = ${subject.device_kid} and k.approver = changed.approver and k.revoked_at is null
  ), signed_out as (
    delete from ${session} s using changed
    where s.approver = changed.approver and coalesce(s.device_kid, ${subject.device_kid}) = ${subject.device_kid}
  ), closed as (
    update ${ceremony} c set consumed_at = now() from changed
    where c.approver = changed.approver and c.device_kid = ${subject.device_kid} and c.consumed_at is null
  )`;
}

/** Stores a new phone's public keys; the same again changes nothing. */
export async function insertLink(
  db: Database,
  given: { id: string; keys: LinkedKeys; userHandle: string | null },
): Promise<void> {
  await changeRow(
    db,
    "link",
    sql`insert into ${deviceLink} (id, keys, user_handle, expires_at)
      values (${given.id}, ${json(given.keys)}, ${given.userHandle}, ${secondsFromNow(linkSeconds)})
      on conflict (id) do nothing returning id`,
  );
}

export interface LinkRow {
  keys: LinkedKeys;
  user_handle: string | null;
  vouching: Vouching | null;
  expires_at: number;
}

export function findLink(db: Database, id: string): Promise<LinkRow | undefined> {
  return firstRow(
    db,
    sql`select keys, user_handle, vouching, ${epoch(sql`expires_at`)} as expires_at
      from ${deviceLink} where id = ${id} and expires_at > now()`,
  );
}

/** A device's signing key, while it is alive and this approver's. */
export async function findDevice(
  db: Database,
  given: { kid: string; approver: string },
): Promise<EcPublicJwk | undefined> {
  const row = await firstRow<{ sig_jwk: EcPublicJwk }>(
    db,
    sql`select sig_jwk from ${device}
      where kid = ${given.kid} and approver = ${given.approver} and revoked_at is null`,
  );
  return row?.sig_jwk;
}
