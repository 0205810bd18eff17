import { createHash } from "node:crypto";

// RFC 6962, section 2.1, written down as it is defined and by Node's hashes: an independent reading for the tests.

const sha256 = (...parts: Uint8Array[]): Uint8Array =>
  new Uint8Array(parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest());

/** MTH(D[n]) */
export function naiveRoot(entries: readonly Uint8Array[]): Uint8Array {
  if (entries.length === 0) return sha256();
  if (entries.length === 1) return sha256(Uint8Array.of(0), entries[0] as Uint8Array);
  const k = largestPower(entries.length);
  return sha256(Uint8Array.of(1), naiveRoot(entries.slice(0, k)), naiveRoot(entries.slice(k)));
}

/** PATH(m, D[n]) */
export function naiveInclusion(m: number, entries: readonly Uint8Array[]): Uint8Array[] {
  if (entries.length === 1) return [];
  const k = largestPower(entries.length);
  return m < k
    ? [...naiveInclusion(m, entries.slice(0, k)), naiveRoot(entries.slice(k))]
    : [...naiveInclusion(m - k, entries.slice(k)), naiveRoot(entries.slice(0, k))];
}

/** SUBPROOF(m, D[n], b); PROOF(m, D[n]) is SUBPROOF(m, D[n], true) */
export function naiveConsistency(
  m: number,
  entries: readonly Uint8Array[],
  whole = true,
): Uint8Array[] {
  if (m === entries.length) return whole ? [] : [naiveRoot(entries)];
  const k = largestPower(entries.length);
  return m <= k
    ? [...naiveConsistency(m, entries.slice(0, k), whole), naiveRoot(entries.slice(k))]
    : [...naiveConsistency(m - k, entries.slice(k), false), naiveRoot(entries.slice(0, k))];
}

function largestPower(n: number): number {
  let k = 1;
  while (k < n / 2) k *= 2;
  return k;
}

/** The octets of tile `index` at `level` for these entries. */
export function naiveTile(
  level: number,
  index: number,
  width: number,
  entries: readonly Uint8Array[],
): Uint8Array {
  const span = 256 ** level;
  return Buffer.concat(
    Array.from({ length: width }, (_, i) => {
      const start = (index * 256 + i) * span;
      return naiveRoot(entries.slice(start, start + span));
    }),
  );
}
