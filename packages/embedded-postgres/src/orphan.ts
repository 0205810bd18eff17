import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { resolveDataDir } from "./cluster.js";
import { EmbeddedPostgresError } from "./errors.js";
import { takeLock } from "./lock.js";
import { socketUrl } from "./url.js";

const patienceMs = 30_000;
const fastShutdown = "SIGINT";

/**
 * A parent that was killed can leave its server running, or busy ending itself. Ends such a server; a stale postmaster.pid
 * without one is PostgreSQL's own business at start.
 *
 * It is ended and not adopted, so that whoever started a server is always its parent and the kernel's "end with the
 * parent" holds for every start.
 *
 * @throws EmbeddedPostgresError `data_directory_in_use` when the server's parent is alive
 */
export async function endOrphan(dataDir: string): Promise<void> {
  for (const deadline = Date.now() + patienceMs; Date.now() < deadline; await sleep(20)) {
    const server = await recordedServer(dataDir);
    if (!server) {
      return;
    }
    if (await isUnused(server.url, dataDir)) {
      // The lock was granted by the server in this very directory, so the process id is its own and not a recycled one.
      end(server.pid);
    } else if (!isAlive(server.pid)) {
      return;
    }
  }
}

/** Where a live server of this directory listens, by its own record: for a client beside the one that started it. */
export async function runningServerUrl(dataDir: string): Promise<string | undefined> {
  return (await recordedServer(await resolveDataDir(dataDir)))?.url;
}

/** Line 1 of postmaster.pid is the process id, line 5 the socket's directory. Another's file is not readable: no server of ours. */
async function recordedServer(dataDir: string): Promise<{ pid: number; url: string } | undefined> {
  const lines = (await readFile(join(dataDir, "postmaster.pid"), "utf8").catch(() => "")).split(
    "\n",
  );
  const [pid, socketDir] = [Number(lines[0]), lines[4]];
  return pid > 0 && socketDir ? { pid, url: socketUrl(socketDir) } : undefined;
}

/** False too while the server starts, recovers or shuts down: then it refuses the connection. */
async function isUnused(url: string, dataDir: string): Promise<boolean> {
  try {
    const lock = await takeLock(url, dataDir);
    await lock.release();
    return true;
  } catch (error) {
    if (error instanceof EmbeddedPostgresError) {
      throw error;
    }
    return false;
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function end(pid: number): void {
  try {
    process.kill(pid, fastShutdown);
  } catch {
    // It has gone by itself in between.
  }
}
