import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { socketHost, startEmbeddedPostgres } from "@countersign/embedded-postgres";
import postgres from "postgres";

declare module "vitest" {
  interface ProvidedContext {
    postgres: { url: string; run: string };
  }
}

export type TestServer = { url: string; stop(): Promise<void> };

/**
 * A server of the caller's own, gone without a trace after `stop()`. Most tests want `createDatabase()` on the run's server.
 * Durable like a real one: the broker refuses a database that is not.
 */
export async function startPostgres(): Promise<TestServer> {
  const directory = await mkdtemp(join(tmpdir(), "countersign-test-"));
  // As root the server runs as another account, which has to pass through.
  await chmod(directory, 0o711);
  const server = await startEmbeddedPostgres({
    dataDir: join(directory, "data"),
    log: () => {},
    settings: { max_connections: "300" },
  });
  return {
    url: server.url,
    async stop() {
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** A `TEST_DATABASE_URL` server outlives the run: leave nothing on it. */
export async function dropDatabasesOf(run: string, serverUrl: string): Promise<void> {
  await withServer(serverUrl, async (sql) => {
    for (const {
      datname,
    } of await sql`select datname from pg_database where starts_with(datname, ${run})`) {
      await sql`drop database ${sql(datname)} with (force)`;
    }
  });
}

export async function withServer<Result>(
  url: string,
  use: (sql: postgres.Sql) => Promise<Result>,
): Promise<Result> {
  const sql = postgres(url, { ...socketHost(url), max: 1, onnotice: () => {} });
  try {
    return await use(sql);
  } finally {
    await sql.end();
  }
}
