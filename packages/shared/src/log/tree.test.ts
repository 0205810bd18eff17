import { readdirSync, readFileSync, statSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { publishedVectors } from "../fixture.js";
import { appendEntries, edgeRoot, emptyEdge } from "./edge.js";
import { naiveConsistency, naiveInclusion, naiveRoot, naiveTile } from "./naive-tree.js";
import { consistencyProof, inclusionProof, treeRoot } from "./proofs.js";
import { decodeEntries, encodeEntries, parseTilePath, tileHashReader } from "./tiles.js";
import { leafHash, verifyConsistency, verifyInclusion } from "./tree.js";

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "base64"));
const hashes = (list: string[] | null): Uint8Array[] => (list ?? []).map(bytes);

function vectorFiles(folder: URL): URL[] {
  return readdirSync(folder).flatMap((name) => {
    const plain = new URL(encodeURIComponent(name), folder);
    return statSync(plain).isDirectory() ? vectorFiles(new URL(`${plain.href}/`)) : [plain];
  });
}

/** transparency-dev/merkle 417fb0c, testdata; Apache-2.0. */
const published = publishedVectors("merkle");
const verdictsOf = (kind: string): { desc: string; wantErr: boolean; [name: string]: unknown }[] =>
  published.absent
    ? []
    : vectorFiles(new URL(`${kind}/`, published.url)).map((file) =>
        JSON.parse(readFileSync(file, "utf8")),
      );

describe.skipIf(published.absent)("the published Merkle vectors", () => {
  test("are all 196", () => {
    expect([verdictsOf("inclusion").length, verdictsOf("consistency").length]).toEqual([98, 98]);
  });

  test.each(verdictsOf("inclusion"))("inclusion: $desc", (vector) => {
    const given = vector as unknown as {
      leafIdx: number;
      treeSize: number;
      root: string;
      leafHash: string;
      proof: string[] | null;
    };
    const tree = { size: given.treeSize, root: bytes(given.root) };
    const verdict = verifyInclusion(
      bytes(given.leafHash),
      given.leafIdx,
      tree,
      hashes(given.proof),
    );
    expect(verdict).toBe(!vector.wantErr);
  });

  test.each(verdictsOf("consistency"))("consistency: $desc", (vector) => {
    const given = vector as unknown as {
      size1: number;
      size2: number;
      root1: string;
      root2: string;
      proof: string[] | null;
    };
    const verdict = verifyConsistency(
      { size: given.size1, root: bytes(given.root1) },
      { size: given.size2, root: bytes(given.root2) },
      hashes(given.proof),
    );
    expect(verdict).toBe(!vector.wantErr);
  });
});

const entriesOf = (count: number): Uint8Array[] =>
  Array.from({ length: count }, (_, index) => new Uint8Array(Buffer.from(`entry ${index}`)));

/** Reads tiles that the other implementation computed. */
const readerOf = (entries: readonly Uint8Array[]) =>
  tileHashReader(entries.length, async (path) => {
    const tile = parseTilePath(path);
    if (!tile || tile.level === "entries") throw new Error(path);
    return naiveTile(tile.level, tile.index, tile.width, entries);
  });

const size = fc.oneof(fc.nat(40), fc.constantFrom(255, 256, 257, 511, 512, 513, 700));

describe("the tree, against an independent reading of RFC 6962", () => {
  test("has its roots and proofs, whatever its size", async () => {
    await fc.assert(
      fc.asyncProperty(size, fc.nat(), fc.nat(), async (count, some, other) => {
        const entries = entriesOf(count);
        const read = readerOf(entries);
        const root = naiveRoot(entries);
        expect(await treeRoot(read, count)).toEqual(root);

        const before = other % (count + 1);
        const older = { size: before, root: naiveRoot(entries.slice(0, before)) };
        const grown = await consistencyProof(read, before, count);
        expect(grown).toEqual(before === 0 ? [] : naiveConsistency(before, entries));
        expect(verifyConsistency(older, { size: count, root }, grown)).toBe(before > 0);

        if (count === 0) return;
        const index = some % count;
        const path = await inclusionProof(read, index, count);
        expect(path).toEqual(naiveInclusion(index, entries));
        const leaf = leafHash(entries[index] as Uint8Array);
        expect(verifyInclusion(leaf, index, { size: count, root }, path)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test("is the same in whatever portions it is appended, and names each tile's root once", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(300), { maxLength: 5 }), (portions) => {
        const entries = entriesOf(portions.reduce((sum, portion) => sum + portion, 0));
        let edge = emptyEdge;
        const filled: unknown[] = [];
        for (const portion of portions) {
          const appended = appendEntries(edge, entries.slice(edge.size, edge.size + portion));
          edge = appended.edge;
          filled.push(...appended.filled);
          expect(edgeRoot(edge)).toEqual(naiveRoot(entries.slice(0, edge.size)));
        }
        const whole = Math.floor(entries.length / 256);
        expect(filled).toEqual(
          Array.from({ length: whole }, (_, index) => ({
            level: 1,
            index,
            hash: naiveTile(1, 0, whole, entries).slice(index * 32, index * 32 + 32),
          })).map((tile) => ({ ...tile, hash: new Uint8Array(tile.hash) })),
        );
      }),
      { numRuns: 30 },
    );
  });

  test("refuses a proof with one bit changed, one hash more or one less", async () => {
    const entries = entriesOf(21);
    const read = readerOf(entries);
    const tree = { size: 21, root: naiveRoot(entries) };
    const older = { size: 13, root: naiveRoot(entries.slice(0, 13)) };
    const leaf = leafHash(entries[5] as Uint8Array);
    const inclusion = await inclusionProof(read, 5, 21);
    const consistency = await consistencyProof(read, 13, 21);
    for (const broken of variantsOf(inclusion)) {
      expect(verifyInclusion(leaf, 5, tree, broken)).toBe(false);
    }
    for (const broken of variantsOf(consistency)) {
      expect(verifyConsistency(older, tree, broken)).toBe(false);
    }
  });
});

function variantsOf(proof: Uint8Array[]): Uint8Array[][] {
  const flipped = proof.map((_, at) =>
    proof.map((hash, index) => {
      const copy = new Uint8Array(hash);
      if (index === at) copy[7] = (copy[7] as number) ^ 1;
      return copy;
    }),
  );
  return [...flipped, proof.slice(1), proof.slice(0, -1), [...proof, proof[0] as Uint8Array]];
}

describe("entry bundles", () => {
  test("come back as they were, and in whole entries only", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 10 }), (entries) => {
        const bundle = encodeEntries(entries);
        expect(decodeEntries(bundle)).toEqual(entries);
        if (bundle.length > 0) {
          expect(() => decodeEntries(bundle.slice(0, -1))).toThrow("proof");
        }
      }),
    );
  });
});
