import { type LeafKind, type LeafRecord, leafEntry, randomNonce } from "@countersign/shared";
import { type SQL, sql } from "drizzle-orm";
import { leaf } from "./schema/log.js";

/**
 * The part of a state change's statement that writes its leaf: it inserts exactly when `changed`, a CTE of
 * the same statement, returned its row, so that there is no change without a leaf and no leaf without a change.
 * @param digest the hash of the object that made the change happen
 */
export function insertLeaf(
  changed: SQL,
  record: { kind: LeafKind; digest: string; rid?: string },
): SQL {
  const salted: LeafRecord = { v: 1, salt: randomNonce(), ...record };
  return sql`insert into ${leaf} (kind, rid, digest, salt, entry)
    select ${salted.kind}, ${salted.rid ?? null}, ${salted.digest}, ${salted.salt}, ${leafEntry(salted)}
    from ${changed}`;
}

/**
 * As {@link insertLeaf}, for a statement that changes several requests at once: `changed` returned their `rid`.
 * @param rids every request that it can have changed
 */
export function insertLeaves(
  changed: SQL,
  record: { kind: LeafKind; digest: string; rids: readonly string[] },
): SQL {
  const { kind, digest, rids } = record;
  const records = rids.map((rid): LeafRecord => ({ v: 1, salt: randomNonce(), kind, rid, digest }));
  const prepared = JSON.stringify(records.map((each) => ({ ...each, entry: leafEntry(each) })));
  return sql`insert into ${leaf} (kind, rid, digest, salt, entry)
    select l.kind, l.rid, l.digest, l.salt, l.entry
    from jsonb_to_recordset(${prepared}::jsonb)
      as l(kind text, rid text, digest text, salt text, entry text)
    join ${changed} on changed.rid = l.rid`;
}
