import { sql } from "drizzle-orm";
import type { Database } from "../db/client.js";
import { insertLeaf } from "../db/leaf.js";
import { firstRow } from "../db/rows.js";

/** A leaf by itself, as a state change's statement writes one. @returns its entry */
export async function writeLeaf(db: Database, digest: string): Promise<string> {
  const row = await firstRow<{ entry: string }>(
    db,
    sql`with changed as (select 1), logged as (
      ${insertLeaf(sql`changed`, { kind: "open", digest })} returning entry
    ) select entry from logged`,
  );
  if (!row) throw new Error("no leaf was written");
  return row.entry;
}
