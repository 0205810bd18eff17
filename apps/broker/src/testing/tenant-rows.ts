import type { Sql } from "./attack.js";

/** Written at every call, and nobody's. */
const passing = ["rate_bucket", "used_proof", "nonce"];

/**
 * Whatever the database has of somebody known by these ids, table by table, down to the byte; but for a leaf's place,
 * which the log gives it by itself.
 */
export async function rowsNaming(
  sql: Sql,
  ids: readonly string[],
): Promise<Record<string, string>> {
  const tables = await sql`select tablename from pg_tables where schemaname = 'public'`;
  const dumps: Record<string, string> = {};
  for (const { tablename } of tables) {
    if (passing.includes(tablename)) continue;
    const { rows } = await sql.pool.query(
      `select (to_jsonb(t) - 'log_index')::text as row from ${tablename} t`,
    );
    const found = rows
      .map(({ row }) => String(row))
      .filter((row) => ids.some((id) => row.includes(id)));
    dumps[tablename] = found.sort().join("\n");
  }
  return dumps;
}
