import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startEmbeddedPostgres } from "@countersign/embedded-postgres";
import pg from "pg";
import { openSql, type Sql } from "./sql.js";

export type TestServer = {
  url: string;
  /** Ends the server as a power cut would. Resolves when its process is gone. */
  kill(): Promise<void>;
  /** Starts a killed server on the same data, under the same URL. */
  restart(): Promise<void>;
  stop(): Promise<void>;
};

/**
 * A server of the caller's own, gone without a trace after `stop()`. Most tests want `createDatabase()` on the run's server.
 * Durable like a real one: the broker refuses a database that is not.
 * @param parent where its files are to lie, such as a disk that a test fills
 */
export async function startPostgres(
  settings: Record<string, string> = {},
  parent = tmpdir(),
): Promise<TestServer> {
  const directory = await mkdtemp(join(parent, "countersign-test-"));
  // As root the server runs as another account, which has to pass through.
  await chmod(directory, 0o711);
  const dataDir = join(directory, "data");
  const startServer = () =>
    startEmbeddedPostgres({
      dataDir,
      log: () => {},
      settings: { max_connections: "300", ...settings },
    });
  let server = await startServer();
  return {
    url: server.url,
    async kill() {
      const pid = Number((await readFile(join(dataDir, "postmaster.pid"), "utf8")).split("\n")[0]);
      process.kill(pid, "SIGKILL");
      while (isAlive(pid)) await sleep(5);
    },
    async restart() {
      await server.stop();
      server = await startServer();
    },
    async stop() {
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** A `TEST_DATABASE_URL` server outlives the run: leave nothing on it. */
export async function dropDatabasesOf(run: string, serverUrl: string): Promise<void> {
  await withServer(serverUrl, async (sql) => {
    const found = await sql`select datname from pg_database where starts_with(datname, ${run})`;
    for (const { datname } of found) {
      await sql.pool.query(`drop database ${pg.escapeIdentifier(datname)} with (force)`);
    }
  });
}

/** All of it on one connection. */
export async function withServer<Result>(
  url: string,
  use: (sql: Sql) => Promise<Result>,
): Promise<Result> {
  const sql = openSql(url, 1);
  try {
    return await use(sql);
  } finally {
    await sql.end();
  }
}
