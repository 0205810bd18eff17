import { sql } from "drizzle-orm";
import type { Database } from "./client.js";
import { firstRow, json } from "./rows.js";
import { setting } from "./schema/accounts.js";

/** The stored value of a name, or this one from now on: the first broker to ask decides, for all of them. */
export async function settleSetting<T>(db: Database, name: string, value: T): Promise<T> {
  const row = await firstRow<{ value: T }>(
    db,
    sql`insert into ${setting} (name, value) values (${name}, ${json(value)})
      on conflict (name) do update set name = excluded.name returning value`,
  );
  if (!row) throw new Error(`setting ${name} could not be stored`);
  return row.value;
}

export async function readSetting<T>(db: Database, name: string): Promise<T | undefined> {
  const row = await firstRow<{ value: T }>(
    db,
    sql`select value from ${setting} where name = ${name}`,
  );
  return row?.value;
}

export async function writeSetting(db: Database, name: string, value: unknown): Promise<void> {
  await firstRow(
    db,
    sql`insert into ${setting} (name, value) values (${name}, ${json(value)})
      on conflict (name) do update set value = excluded.value`,
  );
}

export interface DatabaseHealth {
  fsync: string;
  synchronousCommit: string;
  /** What this connection works as. */
  role: string;
  statementTimeout: string;
  /** The database's clock, in milliseconds since the epoch. */
  clockMilliseconds: number;
}

export async function readHealth(db: Database): Promise<DatabaseHealth> {
  const row = await firstRow<{
    fsync: string;
    synchronous_commit: string;
    role: string;
    statement_timeout: string;
    clock: number;
  }>(
    db,
    sql`select current_setting('fsync') as fsync, current_setting('synchronous_commit') as synchronous_commit,
      current_user as role, current_setting('statement_timeout') as statement_timeout,
      (extract(epoch from clock_timestamp()) * 1000)::float8 as clock`,
  );
  if (!row) throw new Error("the database did not answer");
  return {
    fsync: row.fsync,
    synchronousCommit: row.synchronous_commit,
    role: row.role,
    statementTimeout: row.statement_timeout,
    clockMilliseconds: row.clock,
  };
}
