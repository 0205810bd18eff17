import { canonicalBytes, type LeafRecord, type LogRecords, sha256Text } from "@countersign/shared";
import { sql } from "drizzle-orm";
import { limits } from "../domain/limits.js";
import type { Database } from "./client.js";
import { insertLeaf } from "./leaf.js";
import { changeRow, epoch, firstRow, rows } from "./rows.js";
import { auditor, leaf } from "./schema/log.js";

const roleDigest = (op: "add" | "remove", name: string): string =>
  sha256Text(canonicalBytes({ v: 1, role: "auditor", op, name }));

/** @param owner a connection of the owner of the tables @returns false where the name is taken */
export async function insertAuditor(
  owner: Database,
  given: { name: string; hash: string },
): Promise<boolean> {
  const row = await changeRow(
    owner,
    "auditor",
    sql`with changed as (
      insert into ${auditor} (name, hash) values (${given.name}, ${given.hash})
      on conflict (name) do nothing returning name
    ), logged as (${insertLeaf(sql`changed`, { kind: "role", digest: roleDigest("add", given.name) })})
    select name from changed`,
  );
  return row !== undefined;
}

/** @param owner a connection of the owner of the tables @returns false where there is nobody of this name */
export async function deleteAuditor(owner: Database, name: string): Promise<boolean> {
  const row = await changeRow(
    owner,
    "auditor",
    sql`with changed as (
      delete from ${auditor} where name = ${name} returning name
    ), logged as (${insertLeaf(sql`changed`, { kind: "role", digest: roleDigest("remove", name) })})
    select name from changed`,
  );
  return row !== undefined;
}

/** @returns the name of the auditor whose token this is the hash of */
export async function findAuditor(db: Database, hash: string): Promise<string | undefined> {
  const row = await firstRow<{ name: string }>(
    db,
    sql`select name from ${auditor} where hash = ${hash}`,
  );
  return row?.name;
}

/** A page of the records that have a place in the tree, from this place on. */
export async function listRecords(db: Database, from: number): Promise<LogRecords> {
  const found = await rows<Omit<LeafRecord, "v" | "rid"> & Stored>(
    db,
    sql`select log_index::float8 as index, ${epoch(sql`created_at`)} as at, kind, rid, digest, salt
      from ${leaf} where log_index >= ${from}::bigint order by log_index limit ${limits.recordsPerPage}`,
  );
  const records = found.map(({ index, at, rid, kind, digest, salt }) => ({
    ...{ index, at },
    record: { v: 1 as const, salt, kind, ...(rid === null ? {} : { rid }), digest },
  }));
  const last = records.length === limits.recordsPerPage ? records.at(-1) : undefined;
  return { records, ...(last ? { next: last.index + 1 } : {}) };
}

interface Stored {
  index: number;
  at: number;
  rid: string | null;
}
