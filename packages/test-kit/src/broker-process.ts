import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const directory = fileURLToPath(new URL("../../../apps/broker", import.meta.url));
const release = join(directory, "dist", "main.js");
/** The same with fault points: see `buildWithFaults`. */
const withFaults = join(directory, "dist-faults", "main.js");
const patienceMilliseconds = 45_000;

export interface BrokerProcess {
  origin: string;
  port: number;
  /** The link for the first approver; absent once somebody has enrolled. */
  firstInvitation: string | undefined;
  pid: number;
  isAlive(): boolean;
  /** Resolves when it has ended, however. */
  ended: Promise<unknown>;
  /** Everything that it wrote so far, to either stream. */
  output(): string;
  /** SIGKILL: as the kernel's out-of-memory killer would. */
  kill(): Promise<void>;
  /** SIGTERM: in order. @returns the exit code */
  stop(): Promise<number | null>;
}

interface Spawned {
  child: ChildProcess;
  exited: Promise<number | null>;
  stdout(): string;
  stderr(): string;
}

/** @param nodeOptions for `NODE_OPTIONS`, e.g. what sets the clock wrong */
function spawnBroker(variables: Record<string, string>, nodeOptions?: string): Spawned {
  const program = "FAULT" in variables ? withFaults : release;
  if (!existsSync(program)) throw new Error("The broker is not built: run `npm run build` first.");
  const child = spawn(process.execPath, [program], {
    // Nothing of the run's own environment, so that no variable of the machine's changes what is tested.
    env: {
      PATH: process.env["PATH"],
      HOME: process.env["HOME"],
      TMPDIR: process.env["TMPDIR"],
      LOG_LEVEL: "warn",
      NODE_OPTIONS: nodeOptions,
      ...variables,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const text = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.setEncoding("utf8").on("data", (chunk: string) => {
      text[name] += chunk;
    });
  }
  const exited = once(child, "close").then(([code]) => code as number | null);
  return { child, exited, stdout: () => text.stdout, stderr: () => text.stderr };
}

/**
 * Starts the built broker as a process of its own and waits until it is ready.
 * @param variables its environment, `DATABASE_URL` or `DATA_DIR` among it; a free `PORT` is chosen
 */
export async function startBrokerProcess(
  variables: Record<string, string>,
): Promise<BrokerProcess> {
  const port = variables["PORT"] ?? String(await freePort());
  const { child, exited, stdout, stderr } = spawnBroker({ ...variables, PORT: port });
  const output = () => stdout() + stderr();
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => fail("was not ready in time"), patienceMilliseconds);
    const fail = (why: string) => {
      clearTimeout(timer);
      child.kill("SIGKILL");
      reject(new Error(`The broker ${why}: ${output()}`));
    };
    child.stdout?.on("data", () => {
      if (!stdout().includes("Countersign is ready at ")) return;
      clearTimeout(timer);
      resolve();
    });
    void exited.then((code) => fail(`ended with ${code}`));
  });
  return {
    origin: /ready at (\S+)/.exec(stdout())?.[1] ?? "",
    port: Number(port),
    firstInvitation: /\S+\/enrol#\S+/.exec(stdout())?.[0],
    pid: child.pid ?? 0,
    isAlive: () => child.exitCode === null && child.signalCode === null,
    output,
    ended: exited,
    async kill() {
      child.kill("SIGKILL");
      await exited;
    },
    stop() {
      child.kill("SIGTERM");
      return exited;
    },
  };
}

/**
 * Builds the broker with its fault points, which releases do not contain. A process started with the variable `FAULT`,
 * such as `approve:before`, runs this build and ends itself by SIGKILL at that point.
 */
export async function buildWithFaults(): Promise<{ release: string; withFaults: string }> {
  const tsdown = fileURLToPath(new URL("../../../node_modules/.bin/tsdown", import.meta.url));
  const config = ["--config", "tsdown.faults.config.ts"];
  await promisify(execFile)(process.execPath, [tsdown, ...config], { cwd: directory });
  return { release, withFaults };
}

/** Runs the built broker in a situation in which it must not start, until it ends. */
export async function failToStart(
  variables: Record<string, string>,
  nodeOptions?: string,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const { child, exited, stdout, stderr } = spawnBroker(variables, nodeOptions);
  const timer = setTimeout(() => child.kill("SIGKILL"), patienceMilliseconds);
  const code = await exited;
  clearTimeout(timer);
  return { code, stdout: stdout(), stderr: stderr() };
}

/** Below those that systems give to whoever names none, and above all that a browser refuses. */
const firstPort = 11_000;
const portsOfEach = 100;
let portsGiven = 0;

/**
 * A port that is free, and stays so: a broker that is killed must come back on its own, whatever else starts meanwhile.
 * Each process that runs tests has a hundred ports of its own.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = firstPort + (process.pid % 200) * portsOfEach + (portsGiven++ % portsOfEach);
    if (await isFree(port)) return port;
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch {
    return false;
  }
  server.close();
  await once(server, "close");
  return true;
}
