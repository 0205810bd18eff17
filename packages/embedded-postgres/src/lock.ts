import postgres from "postgres";
import { EmbeddedPostgresError } from "./errors.js";
import { socketHost } from "./url.js";

/** Any number, as long as every version of this file uses the same. */
const lockKey = 6_205_120_314;

export type Lock = { release(): Promise<void> };

/**
 * The right to use this server, held by a session: PostgreSQL takes it back the moment the holder's process dies, and that
 * tells a server in use from one whose parent was killed. A lock file cannot.
 *
 * @throws EmbeddedPostgresError `data_directory_in_use` when a live process has it
 */
export async function takeLock(url: string, dataDir: string): Promise<Lock> {
  const sql = postgres(url, {
    ...socketHost(url),
    max: 1,
    // The session is the lock, so it must not be recycled.
    max_lifetime: null,
    fetch_types: false,
    connection: { application_name: "countersign lock" },
  });
  try {
    const [row] = await sql<{ taken: boolean }[]>`select pg_try_advisory_lock(${lockKey}) as taken`;
    if (row?.taken) {
      return { release: () => sql.end({ timeout: 1 }) };
    }
  } catch (error) {
    await sql.end({ timeout: 0 });
    throw error;
  }
  await sql.end({ timeout: 0 });
  throw new EmbeddedPostgresError(
    "data_directory_in_use",
    `Another process is using the database in ${dataDir}: stop it first, or choose another data directory.`,
  );
}
