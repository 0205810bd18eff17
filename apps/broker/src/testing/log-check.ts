import {
  appendEntries,
  type Edge,
  edgeRoot,
  emptyEdge,
  emptyRoot,
  fromBase64url,
  leafEntry,
  leafRecord,
  parse,
  toBase64url,
} from "@countersign/shared";
import { naiveRoot } from "@countersign/shared/naive-tree";
import { sql } from "drizzle-orm";
import { expect } from "vitest";
import type { Database } from "../db/client.js";
import { type LogHead, readHead } from "../db/log.js";
import { rows } from "../db/rows.js";

/**
 * The log of a database is one tree: dense, of every sequenced leaf once, and a continuation of every head that
 * anybody ever saw of it.
 */
export async function expectSoundLog(
  db: Database,
  given: { acknowledged?: Iterable<string>; seen?: Iterable<LogHead> } = {},
): Promise<void> {
  const head = await readHead(db);
  const entries = await rows<{ index: number; entry: string }>(
    db,
    sql`select index::float8 as index, entry from log_entry order by index`,
  );
  expect(entries.map(({ index }) => index)).toEqual(entries.map((_, at) => at));
  expect(head.size).toBe(entries.length);
  const leaves = await rows<Record<string, never> & { log_index: number | null; entry: string }>(
    db,
    sql`select log_index::float8 as log_index, kind, rid, digest, salt, entry from leaf order by log_index`,
  );
  const placed = leaves.filter(({ log_index }) => log_index !== null);
  expect(placed.map(({ entry }) => entry)).toEqual(entries.map(({ entry }) => entry));
  for (const { kind, rid, digest, salt, entry } of leaves) {
    const record = { v: 1, kind, digest, salt, ...(rid === null ? {} : { rid }) };
    expect(leafEntry(parse(leafRecord, record))).toBe(entry);
  }
  const known = new Set(leaves.map(({ entry }) => entry));
  for (const entry of given.acknowledged ?? []) expect(known.has(entry)).toBe(true);

  await expectSoundTree(db, given.seen);
}

/** As {@link expectSoundLog}, where records may have been deleted: entries, head, and every head that anybody saw. */
export async function expectSoundTree(db: Database, seen: Iterable<LogHead> = []): Promise<void> {
  const head = await readHead(db);
  const entries = await rows<{ entry: string }>(
    db,
    sql`select entry from log_entry order by index`,
  );
  const octets = entries.map(({ entry }) => fromBase64url(entry));
  expect(head.root).toBe(toBase64url(naiveRoot(octets)));
  const roots = [toBase64url(emptyRoot())];
  let edge: Edge = emptyEdge;
  for (const entry of octets) {
    edge = appendEntries(edge, [entry]).edge;
    roots.push(toBase64url(edgeRoot(edge)));
  }
  for (const { size, root } of seen) expect(root).toBe(roots[size]);
}
