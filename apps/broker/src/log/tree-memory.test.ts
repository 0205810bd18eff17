import {
  fromBase64url,
  inclusionProof,
  leafHash,
  toBase64url,
  treeRoot,
  verifyInclusion,
} from "@countersign/shared";
import { createDatabase, type TestDatabase } from "@countersign/test-kit/postgres";
import { sql } from "drizzle-orm";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type Connection, connect, type Database } from "../db/client.js";
import { listEntries, readHead } from "../db/log.js";
import { rows } from "../db/rows.js";
import type { TreeMemory } from "../domain/ports.js";
import { migrate } from "../testing/harness.js";
import { writeLeaf } from "../testing/write-leaf.js";
import { createSequencer } from "./sequence.js";
import { createTreeMemory } from "./tree-memory.js";

let database: TestDatabase;
let connection: Connection;
let db: Database;

beforeEach(async () => {
  database = await createDatabase(migrate);
  connection = connect(database.url);
  db = connection.db;
});
afterEach(async () => {
  await connection.close();
  await database.drop();
});

async function grow(count: number, memory?: TreeMemory): Promise<void> {
  const sequencer = await createSequencer(db, ({ start, entries }) => memory?.add(start, entries));
  for (let index = 0; index < count; index++)
    await writeLeaf(db, toBase64url(leafHash(new Uint8Array([index % 251]))));
  await sequencer.run();
}

/** The same database, and how often it was asked. */
function counted(): { db: Database; statements: () => number } {
  let statements = 0;
  const unsafe = (...call: Parameters<typeof db.$client.unsafe>) => {
    statements += 1;
    return db.$client.unsafe(...call);
  };
  return { db: { $client: { unsafe } } as unknown as Database, statements: () => statements };
}

async function expectProofs(memory: TreeMemory, indices: readonly number[]): Promise<void> {
  const head = await readHead(db);
  const tree = { size: head.size, root: fromBase64url(head.root) };
  const read = await memory.under(head);
  for (const index of indices) {
    const [entry = ""] = await listEntries(db, index, 1);
    const proof = await inclusionProof(read, index, head.size);
    expect(verifyInclusion(leafHash(fromBase64url(entry)), index, tree, proof)).toBe(true);
  }
}

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
  const memory = createTreeMemory(db);
  await grow(256 * 9);
  await expectProofs(memory, [0, 300, 600, 900, 1200, 1500, 1800, 2100, 2340, 0]);
  const read = await memory.under(await readHead(db));
  expect(toBase64url(await treeRoot(read, older.size))).toBe(older.root);
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

it("forgets a tree that the database no longer has", async () => {
  const memory = createTreeMemory(db);
  await grow(10, memory);
  await expectProofs(memory, [3, 9]);
  // As by a restore under a running broker: the same length, other leaves.
  await rows(db, sql`truncate leaf, log_entry, log_tile_root, log_head cascade`);
  await grow(10);
  await expectProofs(memory, [3, 9]);
});
