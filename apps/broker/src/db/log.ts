import {
  type Edge,
  emptyEdge,
  fromBase64url,
  type TileRoot,
  toBase64url,
} from "@countersign/shared";
import { type SQL, sql } from "drizzle-orm";
import type { Database } from "./client.js";
import { firstRow, json, rows, textArray } from "./rows.js";
import { leaf, logEntry, logHead, logTileRoot } from "./schema/log.js";

export interface LogHead {
  size: number;
  root: string;
}

const headColumns = sql`size::float8 as size, root`;

/** The log's first head, unless it has one. */
export async function settleHead(db: Database, empty: LogHead): Promise<void> {
  await firstRow(
    db,
    sql`insert into ${logHead} (size, root, edge)
      values (${empty.size}, ${empty.root}, ${textArray([])}) on conflict do nothing`,
  );
}

export async function readHead(db: Database): Promise<LogHead> {
  const row = await firstRow<LogHead>(db, sql`select ${headColumns} from ${logHead}`);
  if (!row) throw new Error("the log has no head");
  return row;
}

export interface NewLeaf {
  seq: number;
  entry: string;
}

/** What the next batch starts from. Head and leaves are of one snapshot: no leaf is news under an older head. */
export async function readNews(
  db: Database,
  limit: number,
): Promise<{ head: LogHead; edge: Edge; news: NewLeaf[] }> {
  const row = await firstRow<LogHead & { edge: string[]; news: NewLeaf[] }>(
    db,
    sql`select ${headColumns}, to_jsonb(edge) as edge, (
        select coalesce(jsonb_agg(jsonb_build_object('seq', l.seq, 'entry', l.entry) order by l.seq), '[]')
        from (select seq, entry from ${leaf} where log_index is null order by seq limit ${limit}) l
      ) as news
      from ${logHead}`,
  );
  if (!row) throw new Error("the log has no head");
  const { size, root, news } = row;
  return {
    head: { size, root },
    edge: { ...emptyEdge, size, hashes: row.edge.map(fromBase64url) },
    news,
  };
}

/**
 * Moves the head over these leaves, if it still is where they were read: the one compare-and-set that every broker
 * of a database passes through, so that there is one tree. Leaves get their places in the order given, without gaps.
 * @returns the requests whose approvals are among them, or nothing if somebody else moved the head
 */
export async function moveHead(
  db: Database,
  given: {
    from: LogHead;
    to: Edge & { root: string };
    news: readonly NewLeaf[];
    filled: readonly TileRoot[];
  },
): Promise<{ rids: string[] } | undefined> {
  const { from, to, news, filled } = given;
  const placed = news.map((each, at) => ({ ...each, index: from.size + at }));
  return firstRow<{ rids: string[] }>(
    db,
    sql`with moved as (
      update ${logHead} set size = ${to.size}, root = ${to.root}, moved_at = now(),
        edge = ${textArray(to.hashes.map(toBase64url))}
      where size = ${from.size} and root = ${from.root}
      returning size
    ), placed as (
      select p.* from moved, jsonb_to_recordset(${json(placed)}) as p(seq bigint, index bigint, entry text)
    ), entered as (
      insert into ${logEntry} (index, entry) select index, entry from placed
    ), filled as (
      insert into ${logTileRoot} (level, index, hash)
      select f.level, f.index, f.hash from moved, ${tileRoots(filled)}
    ), numbered as (
      update ${leaf} l set log_index = placed.index from placed where l.seq = placed.seq
      returning l.rid, l.kind
    )
    select coalesce(
      (select jsonb_agg(distinct rid) from numbered where kind = 'approve'), '[]') as rids from moved`,
  );
}

const tileRoots = (filled: readonly TileRoot[]): SQL =>
  sql`jsonb_to_recordset(${json(filled.map((each) => ({ ...each, hash: toBase64url(each.hash) })))})
    as f(level int, index bigint, hash text)`;

/** Entries `[start, start + count)`, or as many of them as there are. */
export async function listEntries(db: Database, start: number, count: number): Promise<string[]> {
  const found = await rows<{ entry: string }>(
    db,
    sql`select entry from ${logEntry} where index >= ${start} and index < ${start + count} order by index`,
  );
  return found.map(({ entry }) => entry);
}

/** Hashes `[start, start + count)` of a level above 0, or as many of them as there are. */
export async function listTileRoots(
  db: Database,
  level: number,
  start: number,
  count: number,
): Promise<string[]> {
  const found = await rows<{ hash: string }>(
    db,
    sql`select hash from ${logTileRoot}
      where level = ${level} and index >= ${start} and index < ${start + count} order by index`,
  );
  return found.map(({ hash }) => hash);
}
