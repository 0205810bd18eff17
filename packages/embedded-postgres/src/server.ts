import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { createCluster, hasCluster, resolveDataDir, socketDirectory } from "./cluster.js";
import { EmbeddedPostgresError } from "./errors.js";
import { takeLock } from "./lock.js";
import { endOrphan } from "./orphan.js";
import { type Owner, ownerOf, requireReachable } from "./owner.js";
import { environment, findPrograms } from "./programs.js";
import { socketUrl } from "./url.js";

/** Crash recovery after a power cut can take this long; a start after a clean stop takes 30 ms. */
const startTimeoutMs = 120_000;
const stopTimeoutMs = 10_000;

export type EmbeddedPostgresOptions = {
  /** Made if it is not there. As root, it will belong to the account that the server runs as. */
  dataDir: string;
  /** Receives the server's own log, line by line. */
  log: (line: string) => void;
  /** Server settings beside the defaults, as in postgresql.conf; tests switch fsync off with it. */
  settings?: Record<string, string>;
};

export type EmbeddedPostgres = {
  /** With a Unix socket in the place of the host. */
  url: string;
  /** Ends open sessions, writes everything out, and resolves when the server has gone. May be called twice. */
  stop(): Promise<void>;
};

/**
 * Starts a real PostgreSQL of this process's own. Only this user (and root) can connect: there is no TCP port, and the
 * socket's directory is closed to others. The server goes when this process goes, however that happens; where the system
 * cannot do that (no setpriv), the next start ends the orphan.
 *
 * @throws EmbeddedPostgresError `data_directory_in_use` when another live process has this directory open
 */
export async function startEmbeddedPostgres(
  options: EmbeddedPostgresOptions,
): Promise<EmbeddedPostgres> {
  const dataDir = await resolveDataDir(options.dataDir);
  const owner = await ownerOf(dataDir);
  await requireReachable(dataDir, owner);
  await endOrphan(dataDir);

  const exists = await hasCluster(dataDir);
  const programs = await findPrograms(dataDir, owner);
  if (!exists) {
    await createCluster(dataDir, programs, owner);
  }
  const socketDir = await socketDirectory(dataDir, owner);
  const url = socketUrl(socketDir);

  const server = spawnServer(programs, dataDir, socketDir, owner, options);
  const endWithThisProcess = () => server.child.kill("SIGINT");
  process.once("exit", endWithThisProcess);
  const stopServer = async () => {
    await end(server.child);
    process.removeListener("exit", endWithThisProcess);
    await rmdir(socketDir).catch(() => {});
  };
  try {
    await server.ready;
    const lock = await takeLock(url, dataDir);
    return {
      url,
      async stop() {
        await lock.release();
        await stopServer();
      },
    };
  } catch (error) {
    await stopServer();
    throw error;
  }
}

function spawnServer(
  programs: string,
  dataDir: string,
  socketDir: string,
  owner: Owner,
  { log, settings = {} }: EmbeddedPostgresOptions,
): { child: ChildProcess; ready: Promise<void> } {
  const fixed = {
    listen_addresses: "",
    port: "5432",
    unix_socket_directories: socketDir,
    unix_socket_permissions: "0700",
  };
  const assignments = Object.entries({ ...settings, ...fixed }).flatMap(([name, value]) => [
    "-c",
    `${name}=${value}`,
  ]);
  const command = [
    ...endWithParent(),
    join(programs, "bin", "postgres"),
    "-D",
    dataDir,
    ...assignments,
  ];
  const child = spawn(command[0] as string, command.slice(1), {
    ...owner,
    env: environment,
    cwd: "/",
    // A group of its own: Ctrl-C in the terminal is for this process, which stops the server after the last request.
    detached: true,
    stdio: ["ignore", "ignore", "pipe"],
  });
  const lastLines: string[] = [];
  createInterface({ input: child.stderr as NodeJS.ReadableStream }).on("line", (line) => {
    lastLines.push(line);
    lastLines.splice(0, lastLines.length - 5);
    log(line);
  });
  return { child, ready: waitUntilReady(child, dataDir, lastLines) };
}

/** The kernel ends the server with its parent, SIGKILL included. util-linux has this; BusyBox and macOS do not. */
function endWithParent(): string[] {
  const command = ["setpriv", "--pdeathsig", "INT"];
  try {
    execFileSync("setpriv", ["--pdeathsig", "INT", "true"], { env: environment, stdio: "ignore" });
    return command;
  } catch {
    return [];
  }
}

/** Line 1 of postmaster.pid is the server's process id, line 8 its state: what `pg_ctl -w` waits for. */
async function waitUntilReady(
  child: ChildProcess,
  dataDir: string,
  lastLines: string[],
): Promise<void> {
  let failure: Error | undefined;
  child.once("error", (error) => {
    failure = error;
  });
  for (const deadline = Date.now() + startTimeoutMs; Date.now() < deadline; await sleep(10)) {
    const lines = (await readFile(join(dataDir, "postmaster.pid"), "utf8").catch(() => "")).split(
      "\n",
    );
    if (lines[0] === String(child.pid) && lines[7]?.trim() === "ready") {
      return;
    }
    if (failure || child.exitCode !== null || child.signalCode !== null) {
      break;
    }
  }
  if (lastLines.some((line) => line.includes('lock file "postmaster.pid" already exists'))) {
    throw new EmbeddedPostgresError(
      "data_directory_in_use",
      `Another process is using the database in ${dataDir}: stop it first, or choose another data directory.`,
    );
  }
  throw new EmbeddedPostgresError(
    "server_failed",
    `The built-in PostgreSQL did not start. It said: ${lastLines.join(" | ") || "nothing"}`,
    { cause: failure },
  );
}

/** SIGINT is PostgreSQL's fast shutdown, SIGQUIT the immediate one, after which the next start recovers from the log. */
async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) {
    return;
  }
  const gone = once(child, "exit");
  child.kill("SIGINT");
  const timer = setTimeout(() => child.kill("SIGQUIT"), stopTimeoutMs);
  await gone;
  clearTimeout(timer);
}
