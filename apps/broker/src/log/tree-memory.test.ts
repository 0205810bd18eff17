import {
  fromBase64url,
  leafHash,
  parseLogProof,
  toBase64url,
  verifyCheckpoint,
  verifyInclusion,
} from "@countersign/shared";
import { createDatabase, type TestDatabase } from "@countersign/test-kit/postgres";
import { sql } from "drizzle-orm";
import { afterEach, beforeEach, expect, it } from "vitest";
import { loadLogKey } from "../checks.js";
import { type Connection, connect, type Database } from "../db/client.js";
import { type LogHead, listEntries, readHead } from "../db/log.js";
import { rows } from "../db/rows.js";
import type { LogKey, TreeMemory } from "../domain/ports.js";
import { siteOf } from "../env.js";
import { migrate } from "../testing/harness.js";
import { writeLeaf } from "../testing/write-leaf.js";
import { isOwnTree, proveLeaves } from "./proofs.js";
import { createSequencer } from "./sequence.js";
import { createTreeMemory } from "./tree-memory.js";

let database: TestDatabase;
let connection: Connection;
let db: Database;
let logKey: LogKey;

beforeEach(async () => {
  database = await createDatabase(migrate);
  connection = connect(database.url);
  db = connection.db;
  logKey = await loadLogKey(db, siteOf("http://localhost:1"));
});
afterEach(async () => {
  await connection.close();
  await database.drop();
});

async function grow(count: number, memory?: TreeMemory): Promise<void> {
  const sequencer = await createSequencer(db, ({ start, entries }) => memory?.add(start, entries));
  const write = () => writeLeaf(db, toBase64url(new Uint8Array(32)));
  await Promise.all(Array.from({ length: count }, write));
  await sequencer.run();
}

/** The same database, and how often it was asked; the first so many statements fail. */
function counted(failures = 0): { db: Database; statements: () => number } {
  let statements = 0;
  const query: Database["query"] = async (...call) => {
    statements += 1;
    if (statements <= failures) throw new Error("connection lost");
    return db.query(...call);
  };
  return { db: { query }, statements: () => statements };
}

async function expectProofs(
  tree: TreeMemory,
  indices: readonly number[],
  under?: LogHead,
): Promise<void> {
  const proofs = await proveLeaves({ tree, logKey }, under ?? (await readHead(db)), indices);
  for (const [at, text] of proofs.entries()) {
    const { index, hashes, checkpoint } = parseLogProof(text);
    expect(index).toBe(indices[at]);
    const { size, root } = await verifyCheckpoint(checkpoint, logKey.vkey);
    const [entry = ""] = await listEntries(db, index, 1);
    const leaf = leafHash(fromBase64url(entry));
    expect(verifyInclusion(leaf, index, { size, root: fromBase64url(root) }, hashes)).toBe(true);
  }
}

/** As by a restore under a running broker: from here on other leaves come. */
const restore = () => rows(db, sql`truncate leaf, log_entry, log_tile_root, log_head cascade`);

it("proves every leaf of a tree that grows, over tiles and levels, whoever put it in", async () => {
  const memory = createTreeMemory(db);
  for (const [count, known] of [
    [1, true],
    [6, false],
    [200, true],
    [100, false],
    [300, true],
  ] as const) {
    await grow(count, known ? memory : undefined);
    const { size } = await readHead(db);
    await expectProofs(
      memory,
      [0, size >> 1, size - 2, size - 1].filter((index) => index >= 0),
    );
  }
});

it("reads trees that were, and one with more tiles than it keeps", async () => {
  await grow(40);
  const older = await readHead(db);
  const asked = counted();
  const memory = createTreeMemory(asked.db);
  await grow(256 * 9);
  await expectProofs(memory, [0, 300, 600, 900, 1200, 1500, 1800, 2100, 2340]);
  const before = asked.statements();
  await expectProofs(memory, [2340, 2100]);
  expect(asked.statements()).toBe(before);
  await expectProofs(memory, [0]);
  expect(asked.statements()).toBeGreaterThan(before);
  expect(await isOwnTree({ db, tree: memory }, older)).toBe(true);
  expect(await isOwnTree({ db, tree: memory }, { ...older, size: 41 })).toBe(false);
});

it("asks for nothing that it was told", async () => {
  const asked = counted();
  const memory = createTreeMemory(asked.db);
  await grow(20, memory);
  await expectProofs(memory, [0, 7, 19]);
  expect(asked.statements()).toBe(0);
  await grow(5);
  await expectProofs(memory, [0, 7, 24]);
  expect(asked.statements()).toBe(1);
});

it("asks once for all who read meanwhile, under the same head or a later one", async () => {
  await grow(20);
  const older = await readHead(db);
  await grow(20);
  const newer = await readHead(db);
  const asked = counted();
  const memory = createTreeMemory(asked.db);
  const all = [older, older, newer, newer, newer];
  await Promise.all(all.map((head) => expectProofs(memory, [3, 19], head)));
  expect(asked.statements()).toBe(2);
});

it("remembers nothing of a reading that failed", async () => {
  await grow(20);
  const memory = createTreeMemory(counted(1).db);
  const [first, second] = await Promise.allSettled([
    expectProofs(memory, [3]),
    expectProofs(memory, [9]),
  ]);
  expect([first.status, second.status]).toContain("rejected");
  await expectProofs(memory, [3, 9, 19]);
});

it("forgets a tree that the database no longer has", async () => {
  const memory = createTreeMemory(db);
  await grow(10, memory);
  await expectProofs(memory, [3, 9]);
  await restore();
  await grow(10);
  await expectProofs(memory, [3, 9]);
});

it("forgets it though the new one's edge was never remembered, and calls no lost tree its own", async () => {
  const memory = createTreeMemory(db);
  await grow(200, memory);
  const lost = await readHead(db);
  await grow(200, memory);
  await restore();
  await grow(200);
  const own = await readHead(db);
  await grow(500);
  expect(await isOwnTree({ db, tree: memory }, lost)).toBe(false);
  expect(await isOwnTree({ db, tree: memory }, own)).toBe(true);
  const other = createTreeMemory(db);
  await expectProofs(other, [10, 300]);
  await restore();
  await grow(700);
  await expectProofs(other, [10, 300, 699]);
});

it("proves nothing by a tree that is not the head's", async () => {
  await grow(10);
  const head = { size: 10, root: toBase64url(new Uint8Array(32)) };
  await expect(proveLeaves({ tree: createTreeMemory(db), logKey }, head, [3])).rejects.toThrow();
});
