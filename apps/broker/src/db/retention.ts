import { canonicalBytes, sha256Text } from "@countersign/shared";
import { type SQL, sql } from "drizzle-orm";
import { lifecycle } from "../domain/lifecycle.js";
import { limits } from "../domain/limits.js";
import type { Database } from "./client.js";
import { insertLeaf } from "./leaf.js";
import { firstRow, rows, textArray } from "./rows.js";
import { leaf } from "./schema/log.js";
import {
  ceremony,
  decision,
  outcome,
  authorizationRequest as request,
  sealedContext,
} from "./schema/requests.js";

// What is kept for so long and no longer. Each deletion is a leaf of its own, in its own statement: the digest is that
// of the rule by which it was made. The tree's entries stay, so that all that is left can still be proved.

const ruleDigest = (purge: string, after: Record<string, number>): string =>
  sha256Text(canonicalBytes({ v: 1, purge, after }));

const longOver = (seconds: number): SQL =>
  sql`r.settled_at < now() - make_interval(secs => ${seconds}::float8)`;

/** Deletes ciphertext that no request named in time. It was never part of anything. */
export async function purgeUnreferenced(db: Database): Promise<void> {
  await rows(
    db,
    sql`delete from ${sealedContext} where rid is null
      and created_at < now() - make_interval(secs => ${limits.unreferencedContextSeconds})`,
  );
}

/**
 * Deletes sealed actions and screens, and sealed after-pictures, whose request has been over for so many seconds.
 * @returns how many
 */
export function purgeSealed(
  db: Database,
  after: { contexts: number; pictures: number },
): Promise<number> {
  return purge(
    db,
    sql`gone as (
      delete from ${sealedContext} c using ${request} r
      where r.rid = c.rid and case when c.sealed_sha256 in (r.sealed_sha256, r.sealed_picture_sha256)
        then ${longOver(after.contexts)} else ${longOver(after.pictures)} end
      returning 1
    )`,
    ruleDigest("sealed", after),
  );
}

/**
 * Deletes all that is kept of requests that have been over for so many seconds, and records of the log that are as
 * old and about no request. What has no place in the tree yet stays.
 * @param owner may delete records; the broker's own role may not
 * @returns how many records of the log
 */
export function purgeRecords(owner: Database, after: { records: number }): Promise<number> {
  const own = (table: SQL) => sql`delete from ${table} t using over where t.rid = over.rid`;
  return purge(
    owner,
    sql`over as (
      select r.rid from ${request} r
      where r.state <> all(${textArray(lifecycle.expire.from)}) and ${longOver(after.records)}
        and not exists (select 1 from ${leaf} l where l.rid = r.rid and l.log_index is null)
      order by r.settled_at limit ${limits.recordsPerPurge}
    ), contexts as (${own(sql`${sealedContext}`)}), ceremonies as (${own(sql`${ceremony}`)}),
    decisions as (${own(sql`${decision}`)}), outcomes as (${own(sql`${outcome}`)}),
    -- A report that came meanwhile keeps its request: the outcome's reference fails this statement as a whole.
    requests as (
      delete from ${request} r using over where r.rid = over.rid and ${longOver(after.records)}
      returning r.rid
    ), gone as (
      delete from ${leaf} l where l.log_index is not null and (l.rid in (select rid from requests)
        or (l.rid is null and l.created_at < now() - make_interval(secs => ${after.records}::float8)))
      returning 1
    )`,
    ruleDigest("records", after),
  );
}

/** @param gone common table expressions, the last of which is `gone`: a row for each that was deleted */
async function purge(db: Database, gone: SQL, digest: string): Promise<number> {
  const row = await firstRow<{ count: number }>(
    db,
    sql`with ${gone}, logged as (${insertLeaf(sql`(select 1 from gone limit 1) g`, { kind: "purge", digest })})
      select count(*)::float8 as count from gone`,
  );
  return row?.count ?? 0;
}
