import { type Bytes, concat } from "../bytes.js";
import { ProtocolError } from "../errors.js";
import type { HashReader } from "./proofs.js";
import { nodeHash } from "./tree.js";

/** A tile is a subtree of this height. @see c2sp.org/tlog-tiles */
export const tileHeight = 8;
export const tileWidth = 256;
const hashLength = 32;
const maxLevel = 63;

export interface Tile {
  level: number | "entries";
  index: number;
  /** How many hashes or entries it has: 256, or fewer at the right end of a tree. */
  width: number;
}

/** `tile/<L>/<N>[.p/<W>]`, below the log's prefix. */
export function tilePath({ level, index, width }: Tile): string {
  const groups = [String(index % 1000).padStart(3, "0")];
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    groups.unshift(`x${String(rest % 1000).padStart(3, "0")}`);
  }
  return `tile/${level}/${groups.join("/")}${width === tileWidth ? "" : `.p/${width}`}`;
}

/** Reads a path in its one spelling. */
export function parseTilePath(path: string): Tile | undefined {
  const match = /^tile\/(\d{1,2}|entries)\/((?:x\d{3}\/){0,4}\d{3})(?:\.p\/(\d{1,3}))?$/.exec(path);
  if (!match) return undefined;
  const [, level = "", index = "", width] = match;
  const tile: Tile = {
    level: level === "entries" ? level : Number(level),
    index: Number(index.replaceAll(/[x/]/g, "")),
    width: width === undefined ? tileWidth : Number(width),
  };
  const sound =
    (tile.level === "entries" || tile.level <= maxLevel) &&
    Number.isSafeInteger(tile.index) &&
    tile.width >= 1 &&
    tilePath(tile) === path;
  return sound ? tile : undefined;
}

/** How many hashes tile `index` of a level has in a tree of this size: 0 when there is none. */
export function widthOfTile(level: number, index: number, size: number): number {
  const atLevel = Math.floor(size / tileWidth ** level);
  return Math.min(tileWidth, Math.max(0, atLevel - index * tileWidth));
}

/**
 * Reads any hash of the tree of `size` leaves out of its tiles; each tile is asked for once.
 * @param fetchTile gets the octets of a tile by its path, `tile/0/000.p/7` for one
 * @throws ProtocolError `log_invalid` when a tile has another length than this tree demands
 */
export function tileHashReader(
  size: number,
  fetchTile: (path: string) => Promise<Uint8Array>,
): HashReader {
  const asked = new Map<string, Promise<Uint8Array>>();
  const tileOctets = (level: number, index: number): Promise<Uint8Array> => {
    const width = widthOfTile(level, index, size);
    const path = tilePath({ level, index, width });
    const octets = asked.get(path) ?? checkedTile(fetchTile(path), width);
    asked.set(path, octets);
    return octets;
  };
  return async (level, index) => {
    const height = level % tileHeight;
    const tileLevel = Math.floor(level / tileHeight);
    const first = index * 2 ** height;
    const octets = await tileOctets(tileLevel, Math.floor(first / tileWidth));
    return subtreeOf(octets, first % tileWidth, 2 ** height);
  };
}

async function checkedTile(fetching: Promise<Uint8Array>, width: number): Promise<Uint8Array> {
  const octets = await fetching;
  if (octets.length !== width * hashLength || width === 0) throw new ProtocolError("log_invalid");
  return octets;
}

function subtreeOf(octets: Uint8Array, first: number, width: number): Bytes {
  if (width === 1) {
    return new Uint8Array(octets.slice(first * hashLength, (first + 1) * hashLength));
  }
  const left = subtreeOf(octets, first, width / 2);
  return nodeHash(left, subtreeOf(octets, first + width / 2, width / 2));
}

/** An entry bundle: each entry after its length, as a big-endian uint16. */
export function encodeEntries(entries: readonly Uint8Array[]): Bytes {
  return concat(
    ...entries.flatMap((entry) => [Uint8Array.of(entry.length >> 8, entry.length & 0xff), entry]),
  );
}

/** @throws ProtocolError `log_invalid` on anything but whole entries */
export function decodeEntries(bundle: Uint8Array): Bytes[] {
  const entries: Bytes[] = [];
  for (let offset = 0; offset < bundle.length; ) {
    const length = ((bundle[offset] ?? 0) << 8) | (bundle[offset + 1] ?? 0);
    const entry = bundle.slice(offset + 2, offset + 2 + length);
    if (offset + 2 > bundle.length || entry.length !== length) {
      throw new ProtocolError("log_invalid");
    }
    entries.push(new Uint8Array(entry));
    offset += 2 + length;
  }
  return entries;
}
