import { sql } from "drizzle-orm";
import type { Database } from "./client.js";
import { firstRow, rows } from "./rows.js";
import { rateBucket } from "./schema/limits.js";

/** A bucket that nobody used for so long is full again, whatever its size. */
const fullAgainSeconds = 120;

/** Further ahead than this no other statement's clock is: the database's was set back, and the bucket begins anew. */
const aheadSeconds = 60;

/**
 * Takes up to `wanted` tokens out of a bucket that holds `capacity` and fills in a minute.
 * @returns how many there were
 */
export async function takeTokens(
  db: Database,
  given: { key: string; capacity: number; wanted: number },
): Promise<number> {
  const { key, capacity, wanted } = given;
  // The clock of a statement that waited for the row may be behind the row's.
  const setBack = sql`b.filled_at > excluded.filled_at + make_interval(secs => ${aheadSeconds})`;
  const level = sql`case when ${setBack} then ${capacity}::float8 else least(${capacity}::float8, b.tokens
    + greatest(0, extract(epoch from excluded.filled_at - b.filled_at)) * ${capacity / 60}::float8) end`;
  const taken = sql`least(${wanted}::int, floor(${level}))`;
  const row = await firstRow<{ granted: number }>(
    db,
    sql`insert into ${rateBucket} as b (key, tokens, granted, filled_at)
      values (${key}, ${capacity - wanted}::float8, ${wanted}::int, clock_timestamp())
      on conflict (key) do update set tokens = ${level} - ${taken}, granted = ${taken},
        filled_at = case when ${setBack} then excluded.filled_at
          else greatest(b.filled_at, excluded.filled_at) end
        where ${level} >= 1
      returning granted`,
  );
  return row?.granted ?? 0;
}

export async function purgeBuckets(db: Database): Promise<void> {
  await rows(
    db,
    sql`delete from ${rateBucket} where filled_at < now() - make_interval(secs => ${fullAgainSeconds})`,
  );
}
