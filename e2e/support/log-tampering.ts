import { vi } from "vitest";
import type { Sql } from "../../apps/broker/src/testing/attack.js";

// What whoever holds the database does to the log behind the broker's back.

/** Everything is under a checkpoint, and nothing more comes by itself. */
export async function settled(sql: Sql): Promise<void> {
  const sequenced = async () => {
    const waiting = await sql`select 1 from leaf where log_index is null`;
    if (waiting.length > 0) throw new Error("leaves wait for their places");
  };
  await vi.waitFor(sequenced, { timeout: 20_000 });
}

/** What is left of the log when an older dump of the database is put back. */
export async function keepState(sql: Sql): Promise<() => Promise<void>> {
  const [head] = await sql`select size, root, edge from log_head`;
  const { size = 0, root = "", edge = [] } = head ?? {};
  return async () => {
    await sql`with cut as (delete from log_entry where index >= ${size}),
      gone as (delete from leaf where log_index >= ${size} or log_index is null)
      update log_head set size = ${size}, root = ${root}, edge = ${edge}`;
  };
}

/** Leaves that no record stands behind. */
export const grow = (sql: Sql, count: number) =>
  sql`insert into leaf (kind, digest, salt, entry)
    select 'open', repeat('A', 43), repeat('A', 43), translate(encode(sha256((n::text || gen_random_uuid()::text)::bytea), 'base64'), '+/=', '-_')
    from generate_series(1, ${count}::int) n`;
