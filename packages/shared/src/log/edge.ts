import type { Bytes } from "../bytes.js";
import { tileHeight } from "./tiles.js";
import { emptyRoot, leafHash, nodeHash } from "./tree.js";

/** The right edge of a tree: all that appending needs. One complete subtree for each bit of `size`, the largest first. */
export interface Edge {
  size: number;
  hashes: readonly Bytes[];
}

export const emptyEdge: Edge = { size: 0, hashes: [] };

/** The root of a subtree that fills a whole tile: what the tile above it holds. */
export interface TileRoot {
  level: number;
  index: number;
  hash: Bytes;
}

/** Appends entries in this order. @returns the edge after them, and the root of every tile that they filled */
export function appendEntries(
  edge: Edge,
  entries: readonly Uint8Array[],
): { edge: Edge; filled: TileRoot[] } {
  const hashes = [...edge.hashes];
  const filled: TileRoot[] = [];
  let { size } = edge;
  for (const entry of entries) {
    hashes.push(leafHash(entry));
    size += 1;
    for (let level = 1, index = size; index % 2 === 0; level++) {
      index /= 2;
      const right = hashes.pop() as Bytes;
      const left = hashes.pop() as Bytes;
      const hash = nodeHash(left, right);
      hashes.push(hash);
      if (level % tileHeight === 0) {
        filled.push({ level: level / tileHeight, index: index - 1, hash });
      }
    }
  }
  return { edge: { size, hashes }, filled };
}

export function edgeRoot({ hashes }: Edge): Bytes {
  const [last, ...rest] = [...hashes].reverse();
  if (!last) return emptyRoot();
  return rest.reduce((right, left) => nodeHash(left, right), last);
}
