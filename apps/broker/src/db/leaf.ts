import { type LeafKind, type LeafRecord, leafEntry, randomNonce } from "@countersign/shared";
import { type SQL, sql } from "drizzle-orm";
import { leaf } from "./schema.js";

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
