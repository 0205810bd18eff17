import { openSql } from "@countersign/test-kit/sql";
import { brokerRole } from "../db/roles.js";

/**
 * Lets a database tell another time to whoever connects from now on: its own functions of these names stand before
 * PostgreSQL's.
 */
export async function shiftDatabaseClock(
  databaseUrl: string,
  bySeconds: number,
): Promise<{ move(wrong: boolean): Promise<void>; close(): Promise<void> }> {
  const sql = openSql(databaseUrl);
  const name = new URL(databaseUrl).pathname.slice(1);
  await sql.pool.query(`
    create schema shifted;
    create table shifted.clock (by interval not null);
    insert into shifted.clock values ('0');
    create function shifted.now() returns timestamptz stable language sql
      as 'select pg_catalog.now() + by from shifted.clock';
    create function shifted.clock_timestamp() returns timestamptz volatile language sql
      as 'select pg_catalog.clock_timestamp() + by from shifted.clock';
    grant usage on schema shifted to ${brokerRole};
    grant select on shifted.clock to ${brokerRole};
    alter database "${name}" set search_path = shifted, public, pg_catalog;`);
  return {
    move: async (wrong) => {
      await sql`update shifted.clock set by = make_interval(secs => ${wrong ? bySeconds : 0})`;
    },
    close: () => sql.end(),
  };
}
