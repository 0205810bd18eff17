import { sha256 } from "#sha256";
import { type Bytes, concat, equalBytes } from "../bytes.js";

// The Merkle tree of RFC 6962, section 2.1. Sizes and indices are safe integers: no bit operators, those stop at 32 bits.

const digest = (...parts: Uint8Array[]): Bytes => sha256(concat(...parts));

export const leafHash = (entry: Uint8Array): Bytes => digest(Uint8Array.of(0), entry);
export const nodeHash = (left: Uint8Array, right: Uint8Array): Bytes =>
  digest(Uint8Array.of(1), left, right);
export const emptyRoot = (): Bytes => digest();

const half = (value: number): number => Math.floor(value / 2);
const isOdd = (value: number): boolean => value % 2 === 1;
const isSize = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
const areHashes = (hashes: readonly Uint8Array[]): boolean =>
  hashes.every((hash) => hash.length === 32);

/** Whether `leaf`, a leaf's hash, stands at `index` of the tree of this size and root (RFC 9162, 2.1.3.2). */
export function verifyInclusion(
  leaf: Uint8Array,
  index: number,
  tree: { size: number; root: Uint8Array },
  proof: readonly Uint8Array[],
): boolean {
  const { size, root } = tree;
  if (!isSize(index) || !isSize(size) || index >= size) return false;
  if (!areHashes([leaf, root, ...proof])) return false;
  let node = leaf;
  const rest = climb(index, size - 1, proof, (sibling, isLeft) => {
    node = isLeft ? nodeHash(sibling, node) : nodeHash(node, sibling);
  });
  return rest === 0 && equalBytes(node, root);
}

/**
 * Whether the tree `newer` begins with all of `older` (RFC 9162, 2.1.4.2). The empty tree begins every tree, so there
 * is nothing to prove about it, and no proof of it counts.
 */
export function verifyConsistency(
  older: { size: number; root: Uint8Array },
  newer: { size: number; root: Uint8Array },
  proof: readonly Uint8Array[],
): boolean {
  if (!isSize(older.size) || !isSize(newer.size) || older.size > newer.size) return false;
  if (older.size === 0) return false;
  if (older.size === newer.size) return proof.length === 0 && equalBytes(older.root, newer.root);
  if (!areHashes([older.root, newer.root, ...proof])) return false;
  let index = older.size - 1;
  let last = newer.size - 1;
  while (isOdd(index)) {
    index = half(index);
    last = half(last);
  }
  // A whole subtree's root is the older root itself, which the proof leaves out.
  const [first, ...path] = index === 0 ? [older.root, ...proof] : proof;
  if (!first) return false;
  let before = first;
  let after = first;
  const rest = climb(index, last, path, (sibling, isLeft) => {
    if (isLeft) before = nodeHash(sibling, before);
    after = isLeft ? nodeHash(sibling, after) : nodeHash(after, sibling);
  });
  return rest === 0 && equalBytes(before, older.root) && equalBytes(after, newer.root);
}

/**
 * Walks a proof from a node to the root.
 * @returns what is left of `last` at the end: 0 when the proof had exactly the length that the tree demands
 */
function climb(
  start: number,
  end: number,
  proof: readonly Uint8Array[],
  step: (sibling: Uint8Array, isLeft: boolean) => void,
): number {
  let index = start;
  let last = end;
  for (const sibling of proof) {
    if (last === 0) return -1;
    const isLeft = isOdd(index) || index === last;
    step(sibling, isLeft);
    while (isLeft && !isOdd(index) && index !== 0) {
      index = half(index);
      last = half(last);
    }
    index = half(index);
    last = half(last);
  }
  return last;
}
