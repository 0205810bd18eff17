import {
  type Bytes,
  type HashReader,
  leafHash,
  nodeHash,
  tileHeight,
  tileWidth,
  widthOfTile,
} from "@countersign/shared";
import type { Database } from "../db/client.js";
import type { TreeMemory } from "../domain/ports.js";
import { readHashes } from "./tiles.js";

/** About a MiB. Proofs are asked for of the newest leaves, and each needs a tile or two of every level. */
const keptTiles = 8;

interface KeptTile {
  /** By their height: the tile's own hashes, the nodes over each two of those, and so on. */
  subtrees: Bytes[][];
  /** Many siblings stand in one tile: it is read once for all who ask meanwhile. */
  reading?: Promise<void> | undefined;
}

export function createTreeMemory(db: Database): TreeMemory {
  /** The one that was used last comes last. */
  const tiles = new Map<string, KeptTile>();

  const tileAt = (level: number, index: number): KeptTile => {
    const key = `${level} ${index}`;
    const tile = tiles.get(key) ?? { subtrees: [[]] };
    tiles.delete(key);
    tiles.set(key, tile);
    for (const [oldest] of tiles) {
      if (tiles.size <= keptTiles) break;
      tiles.delete(oldest);
    }
    return tile;
  };

  const readTile = async (level: number, index: number, width: number): Promise<KeptTile> => {
    const tile = tileAt(level, index);
    while (tile.reading) await tile.reading;
    const known = tile.subtrees[0]?.length ?? 0;
    if (known < width) {
      tile.reading = readHashes(db, level, index * tileWidth + known, width - known)
        .then((hashes) => extend(tile, known, hashes))
        .finally(() => {
          tile.reading = undefined;
        });
      await tile.reading;
    }
    return tile;
  };

  const readerOf = (size: number): HashReader => {
    return async (height, index) => {
      const level = Math.floor(height / tileHeight);
      const first = index * 2 ** (height % tileHeight);
      const tile = Math.floor(first / tileWidth);
      const { subtrees } = await readTile(level, tile, widthOfTile(level, tile, size));
      const hash =
        subtrees[height % tileHeight]?.[(first % tileWidth) / 2 ** (height % tileHeight)];
      if (!hash) throw new Error("the log is shorter than its head");
      return hash;
    };
  };

  return {
    async under({ size }, find) {
      const read = readerOf(size);
      const found = await find(read);
      if (found !== undefined) return found;
      // A database that was set back under this process has another tree than it remembers.
      tiles.clear();
      const anew = await find(read);
      if (anew === undefined) throw new Error("the log is not the one that its head names");
      return anew;
    },
    add(start, entries) {
      for (const [offset, entry] of entries.entries()) {
        const place = start + offset;
        extend(tileAt(0, Math.floor(place / tileWidth)), place % tileWidth, [leafHash(entry)]);
      }
    },
  };
}

/** Puts in what is new of `hashes`, which begin at place `start` of the tile. Behind a gap there is nothing to put them on. */
function extend({ subtrees }: KeptTile, start: number, hashes: readonly Bytes[]): void {
  for (const [offset, hash] of hashes.entries()) {
    if (subtrees[0]?.length !== start + offset) continue;
    let node = hash;
    for (let height = 0; ; height++) {
      const row = subtrees[height] ?? [];
      row.push(node);
      subtrees[height] = row;
      if (row.length % 2 === 1) break;
      node = nodeHash(row[row.length - 2] as Bytes, node);
    }
  }
}
