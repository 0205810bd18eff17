import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import pg from "pg";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startEmbeddedPostgres } from "./server.js";

let parent: string;
let dataDir: string;
const log = () => {};
const cleanup: (() => unknown)[] = [];

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), "countersign-test-"));
  await chmod(parent, 0o711);
  dataDir = join(parent, "data");
});

afterEach(async () => {
  for (const undo of cleanup.splice(0).reverse()) {
    await undo();
  }
  // A server whose parent was killed may still be writing its last files.
  await rm(parent, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
});

async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

async function start() {
  const server = await startEmbeddedPostgres({ dataDir, log });
  cleanup.push(() => server.stop());
  return server;
}

/** Another process that starts a server on the same directory and holds it. */
async function startElsewhere(): Promise<{ child: ChildProcess; url: string }> {
  const module = JSON.stringify(new URL("./server.ts", import.meta.url).href);
  const program = `import(${module}).then(async ({ startEmbeddedPostgres }) => {
    const { url } = await startEmbeddedPostgres({ dataDir: ${JSON.stringify(dataDir)}, log() {} });
    console.log(url);
    setInterval(() => {}, 1000);
  });`;
  const child = spawn(process.execPath, ["--import", "tsx", "--eval", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  cleanup.push(() => child.kill("SIGKILL"));
  const [url] = await once(
    createInterface({ input: child.stdout as NodeJS.ReadableStream }),
    "line",
  );
  return { child, url };
}

test("keeps what was written over a restart, with fsync on", async () => {
  const first = await start();
  await query(first.url, "create table note as select 'kept' as text");
  await first.stop();
  const second = await start();
  expect(await query(second.url, "select text from note")).toEqual([{ text: "kept" }]);
  expect(await query(second.url, "show fsync")).toEqual([{ fsync: "on" }]);
});

test("listens on no TCP port", async () => {
  const { url } = await start();
  expect(await query(url, "show listen_addresses")).toEqual([{ listen_addresses: "" }]);
});

test("refuses a directory that another live process uses, and leaves that process alone", async () => {
  const { url } = await startElsewhere();
  await expect(startEmbeddedPostgres({ dataDir, log })).rejects.toMatchObject({
    code: "data_directory_in_use",
    message: expect.stringContaining(dataDir),
  });
  expect(await query(url, "select 1 as alive")).toEqual([{ alive: 1 }]);
});

test("starts again after SIGKILL of the process that had it, and keeps what was committed", async () => {
  const { child, url } = await startElsewhere();
  await query(url, "create table note as select 'kept' as text");
  child.kill("SIGKILL");
  const again = await start();
  expect(await query(again.url, "select text from note")).toEqual([{ text: "kept" }]);
});

test("ends an orphan that outlived its parent", async () => {
  const first = await start();
  const orphan = Number((await readFile(join(dataDir, "postmaster.pid"), "utf8")).split("\n")[0]);
  await query(
    first.url,
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'countersign lock'",
  );
  const second = await start();
  expect(await query(second.url, "select 1 as alive")).toEqual([{ alive: 1 }]);
  expect(() => process.kill(orphan, 0)).toThrow("ESRCH");
});

test("recovers after the server itself was killed", async () => {
  const { url } = await start();
  await query(url, "create table note as select 'kept' as text");
  const pid = Number((await readFile(join(dataDir, "postmaster.pid"), "utf8")).split("\n")[0]);
  process.kill(pid, "SIGKILL");
  const again = await start();
  expect(await query(again.url, "select text from note")).toEqual([{ text: "kept" }]);
});

test("refuses a directory with other files in it", async () => {
  dataDir = parent;
  await writeFile(join(parent, "diary.txt"), "mine");
  await expect(startEmbeddedPostgres({ dataDir, log })).rejects.toMatchObject({
    code: "data_directory_foreign",
  });
});

test.runIf(process.geteuid?.() === 0)(
  "says which directory keeps the server's account out",
  async () => {
    await chmod(parent, 0o700);
    await expect(startEmbeddedPostgres({ dataDir, log })).rejects.toMatchObject({
      code: "data_directory_unreachable",
      message: expect.stringContaining(parent),
    });
  },
);
