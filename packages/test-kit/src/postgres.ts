import { createHash, randomBytes } from "node:crypto";
import pg from "pg";
import { inject } from "vitest";
import { withServer } from "./postgres-server.js";
import type { Sql } from "./sql.js";

export { startPostgres, type TestServer } from "./postgres-server.js";

declare module "vitest" {
  interface ProvidedContext {
    postgres: { url: string; run: string };
  }
}

export type TestDatabase = { url: string; drop(): Promise<void> };

/** Brings the empty database at `url` to the schema that the code under test wants. */
export type Migrate = (url: string) => Promise<void>;

/**
 * A fresh database on the server of this run, with the schema that `migrate` makes. The migration runs once in a run; every
 * database after that is a copy, which takes about 50 ms.
 */
export async function createDatabase(migrate?: Migrate): Promise<TestDatabase> {
  const { url: serverUrl, run } = inject("postgres");
  const name = `${run}_${randomBytes(6).toString("hex")}`;
  const quoted = pg.escapeIdentifier(name);
  await withServer(serverUrl, async (sql) => {
    const template = migrate ? await migratedTemplate(sql, serverUrl, run, migrate) : "template1";
    await sql.pool.query(`create database ${quoted} template ${pg.escapeIdentifier(template)}`);
  });
  return {
    url: withDatabase(serverUrl, name),
    drop: () =>
      withServer(serverUrl, async (sql) => {
        await sql.pool.query(`drop database if exists ${quoted} with (force)`);
      }),
  };
}

/** Test files run side by side in several processes; the first to come makes the template, under a lock. */
async function migratedTemplate(
  sql: Sql,
  serverUrl: string,
  run: string,
  migrate: Migrate,
): Promise<string> {
  // Known by its source: the processes of a run share no object that could tell two migrations apart.
  const hash = createHash("sha256").update(migrate.toString()).digest("hex").slice(0, 12);
  const name = `${run}_template_${hash}`;
  await sql`select pg_advisory_lock(hashtext(${name}))`;
  try {
    const [existing] = await sql`select from pg_database where datname = ${name}`;
    if (!existing) {
      const unfinished = `${name}_unfinished`;
      const quoted = pg.escapeIdentifier(unfinished);
      await sql.pool.query(`drop database if exists ${quoted} with (force)`);
      await sql.pool.query(`create database ${quoted}`);
      await migrate(withDatabase(serverUrl, unfinished));
      await sql.pool.query(`alter database ${quoted} rename to ${pg.escapeIdentifier(name)}`);
    }
  } finally {
    await sql`select pg_advisory_unlock(hashtext(${name}))`;
  }
  return name;
}

function withDatabase(serverUrl: string, database: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${database}`;
  return url.href;
}
