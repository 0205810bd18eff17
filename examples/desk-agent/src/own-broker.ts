import { type ChildProcess, spawn } from "node:child_process";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const brokerProgram = fileURLToPath(new URL("../../../apps/broker/dist/main.js", import.meta.url));

export interface OwnBroker {
  url: string;
  invitation: string;
  stop(): Promise<void>;
}

/** The real broker as a process of its own, with a database of its own that is gone afterwards. */
export async function startOwnBroker(): Promise<OwnBroker> {
  const directory = await mkdtemp(join(tmpdir(), "countersign-broker-"));
  // As root the database runs under another account, which has to pass through.
  await chmod(directory, 0o711);
  const port = await freePort();
  const child = spawn(process.execPath, [brokerProgram], {
    env: {
      PATH: process.env["PATH"],
      HOME: process.env["HOME"],
      PORT: String(port),
      DATA_DIR: directory,
      LOG_LEVEL: "warn",
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const invitation = await firstInvitation(child);
  return {
    url: `http://localhost:${port}`,
    invitation,
    stop: async () => {
      const exited = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      await exited;
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Reads what the broker prints at its first start. */
async function firstInvitation(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error("the broker has no output");
  for await (const line of createInterface({ input: child.stdout })) {
    const link = /https?:\/\/\S+\/enrol#\S+/.exec(line)?.[0];
    if (link) {
      child.stdout.resume();
      return link;
    }
  }
  throw new Error("the broker ended before it was ready");
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "localhost", resolve));
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  if (address === null || typeof address === "string") throw new Error("no port is free");
  return address.port;
}
