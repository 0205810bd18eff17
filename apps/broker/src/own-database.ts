import { mkdirSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  EmbeddedPostgresError,
  runningServerUrl,
  startEmbeddedPostgres,
} from "@countersign/embedded-postgres";
import type { Logger } from "./domain/ports.js";
import type { Environment } from "./env.js";

export const migrationsFolder = fileURLToPath(new URL("../drizzle", import.meta.url));

/** What ends what was started, last first. */
export type Stops = (() => Promise<void> | void)[];

/** The server that a broker without `DATABASE_URL` brings with it. */
export async function startOwnDatabase(
  env: Environment,
  log: Logger,
  stops: Stops,
): Promise<string> {
  const dataDir = dataDirectoryOf(env);
  mkdirSync(dirname(dataDir), { recursive: true });
  const server = await startEmbeddedPostgres({
    dataDir,
    log: (line) => log.debug({ source: "postgres" }, line),
  });
  stops.push(() => server.stop());
  return server.url;
}

/** The same beside a broker that may run: the server that it started, or one of our own for as long as this takes. */
export async function joinOwnDatabase(
  env: Environment,
  log: Logger,
  stops: Stops,
): Promise<string> {
  try {
    return await startOwnDatabase(env, log, stops);
  } catch (error) {
    const running =
      error instanceof EmbeddedPostgresError && error.code === "data_directory_in_use"
        ? await runningServerUrl(dataDirectoryOf(env))
        : undefined;
    if (running === undefined) throw error;
    return running;
  }
}

const dataDirectoryOf = (env: Environment): string =>
  join(env.DATA_DIR ?? defaultDirectory(), "postgres");

function defaultDirectory(): string {
  return process.getuid?.() === 0
    ? "/var/lib/countersign"
    : join(homedir(), ".local", "share", "countersign");
}
