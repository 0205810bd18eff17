import {
  type Bytes,
  concat,
  encodeEntries,
  fromBase64url,
  leafHash,
  ProtocolError,
  parseTilePath,
  type Tile,
  tileWidth,
} from "@countersign/shared";
import type { Database } from "../db/client.js";
import { listEntries, listTileRoots } from "../db/log.js";

/**
 * The octets of a tile or of a bundle of entries, by its path. Level 0 is hashed from the entries as it is asked for.
 * @throws ProtocolError `not_found` when the log is not that long, or the path is none
 */
export async function readTile(db: Database, path: string): Promise<Bytes> {
  const tile = parseTilePath(path);
  if (!tile) throw new ProtocolError("not_found");
  const parts = await readParts(db, tile);
  if (parts.length < tile.width) throw new ProtocolError("not_found");
  return tile.level === "entries" ? encodeEntries(parts) : concat(...parts);
}

async function readParts(db: Database, { level, index, width }: Tile): Promise<Bytes[]> {
  const start = index * tileWidth;
  if (!Number.isSafeInteger(start + width)) return [];
  return level === "entries" ? readEntries(db, start, width) : readHashes(db, level, start, width);
}

const readEntries = async (db: Database, start: number, count: number): Promise<Bytes[]> =>
  (await listEntries(db, start, count)).map(fromBase64url);

/** Hashes `[start, start + count)` of a level, or as many of them as there are. */
export async function readHashes(
  db: Database,
  level: number,
  start: number,
  count: number,
): Promise<Bytes[]> {
  if (level > 0) return (await listTileRoots(db, level, start, count)).map(fromBase64url);
  return (await readEntries(db, start, count)).map(leafHash);
}
