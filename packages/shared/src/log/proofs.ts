import type { Bytes } from "../bytes.js";
import { emptyRoot, nodeHash } from "./tree.js";

/** The root of the complete subtree over the leaves `[index * 2^level, (index + 1) * 2^level)`. */
export type HashReader = (level: number, index: number) => Promise<Bytes>;

/** The root of the tree of the first `size` leaves. */
export async function treeRoot(read: HashReader, size: number): Promise<Bytes> {
  return size === 0 ? emptyRoot() : rangeRoot(read, 0, size);
}

/** The sibling hashes from the leaf up (RFC 6962, 2.1.1). */
export async function inclusionProof(
  read: HashReader,
  index: number,
  size: number,
): Promise<Bytes[]> {
  const siblings: [start: number, end: number][] = [];
  let start = 0;
  let end = size;
  while (end - start > 1) {
    const middle = start + split(end - start);
    siblings.unshift(index < middle ? [middle, end] : [start, middle]);
    if (index < middle) end = middle;
    else start = middle;
  }
  return Promise.all(siblings.map((range) => rangeRoot(read, ...range)));
}

/** The hashes that lead from the tree of `older` leaves to that of `newer` leaves (RFC 6962, 2.1.2). */
export async function consistencyProof(
  read: HashReader,
  older: number,
  newer: number,
): Promise<Bytes[]> {
  if (older === 0) return [];
  const ranges: [start: number, end: number][] = [];
  let start = 0;
  let end = newer;
  while (end !== older) {
    const middle = start + split(end - start);
    ranges.unshift(older <= middle ? [middle, end] : [start, middle]);
    if (older <= middle) end = middle;
    else start = middle;
  }
  // A subtree that begins the tree is the older tree itself, whose root the verifier holds.
  if (start > 0) ranges.unshift([start, end]);
  return Promise.all(ranges.map((range) => rangeRoot(read, ...range)));
}

async function rangeRoot(read: HashReader, start: number, end: number): Promise<Bytes> {
  const width = end - start;
  const level = Math.round(Math.log2(width));
  if (2 ** level === width) return read(level, start / width);
  const middle = start + split(width);
  const [left, right] = await Promise.all([
    rangeRoot(read, start, middle),
    rangeRoot(read, middle, end),
  ]);
  return nodeHash(left, right);
}

/** The largest power of two below `width`, which is at least 2. */
function split(width: number): number {
  let power = 1;
  while (power * 2 < width) power *= 2;
  return power;
}
