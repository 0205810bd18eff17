import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { EmbeddedPostgresError } from "./errors.js";

/** Any number, as long as every version of this file uses the same. */
const lockKey = 6_205_120_314;

const connectMs = 30_000;
const releaseMs = 1_000;

export type Lock = { release(): Promise<void> };

/**
 * The right to use this server, held by a session: PostgreSQL takes it back the moment the holder's process dies, and that
 * tells a server in use from one whose parent was killed. A lock file cannot. The session is the lock, so it is a
 * connection of its own, which nothing recycles.
 *
 * @throws EmbeddedPostgresError `data_directory_in_use` when a live process has it
 */
export async function takeLock(url: string, dataDir: string): Promise<Lock> {
  const client = new pg.Client({
    connectionString: url,
    // Whatever the environment says of TLS is not meant for a socket.
    ssl: false,
    application_name: "countersign lock",
    connectionTimeoutMillis: connectMs,
  });
  // A lost connection is an event, and one that nobody listens to ends the process. Whoever asks the server next hears of it.
  client.on("error", () => {});
  /** The server has closed the session, and the lock is free; one that says nothing holds up no stop. */
  const release = async () => {
    await Promise.race([client.end(), sleep(releaseMs, undefined, { ref: false })]);
  };
  try {
    await client.connect();
    const { rows } = await client.query<{ taken: boolean }>(
      "select pg_try_advisory_lock($1) as taken",
      [lockKey],
    );
    if (rows[0]?.taken) {
      return { release };
    }
  } catch (error) {
    await release();
    throw error;
  }
  await release();
  throw new EmbeddedPostgresError(
    "data_directory_in_use",
    `Another process is using the database in ${dataDir}: stop it first, or choose another data directory.`,
  );
}
