import { createHash, createPublicKey, verify } from "node:crypto";
import { expect, test } from "vitest";
import log from "../../vectors/log.json" with { type: "json" };
import { toBase64url } from "../bytes.js";
import { leafRecord } from "../leaf.js";
import { parse } from "../schema.js";
import { verifyCheckpoint } from "./checkpoint.js";
import { naiveConsistency, naiveInclusion, naiveRoot, naiveTile } from "./naive-tree.js";
import { verifyLogged } from "./proof-text.js";

// The known answers of the log, computed anew from the RFC's definitions and by Node's own cryptography.
const octets = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "base64url"));
const entries = log.leaves.map(({ leaf_entry }) => octets(leaf_entry));
const texts = (hashes: Uint8Array[]): string[] => hashes.map(toBase64url);

test("the roots of every size", () => {
  const roots = Array.from({ length: 8 }, (_, size) => naiveRoot(entries.slice(0, size)));
  expect(texts(roots)).toEqual(log.roots);
});

test("the tile and the bundle of entries", () => {
  expect(log.tile_path).toBe("tile/0/000.p/7");
  expect(toBase64url(naiveTile(0, 0, 7, entries))).toBe(log.tile);
  const bundle = Buffer.concat(entries.flatMap((entry) => [Buffer.from([0, 32]), entry]));
  expect(bundle.toString("base64url")).toBe(log.entries);
});

test("the proofs", () => {
  expect(texts(naiveInclusion(4, entries))).toEqual(log.inclusion.proof);
  expect(texts(naiveConsistency(3, entries))).toEqual(log.consistency.proof);
});

test("the key and the checkpoint", async () => {
  const [name = "", id, ...parts] = log.vkey.split("+");
  const material = Buffer.from(parts.join("+"), "base64");
  const key = createPublicKey({
    format: "jwk",
    key: { kty: "OKP", crv: "Ed25519", x: material.subarray(1).toString("base64url") },
  });
  const [text = "", signature = ""] = log.checkpoint.split("\n\n");
  expect(text).toBe(`${name}\n7\n${Buffer.from(octets(log.roots[7] ?? "")).toString("base64")}`);
  const signed = Buffer.from(signature.trim().split(" ")[2] ?? "", "base64");
  expect(verify(null, Buffer.from(`${text}\n`), key, signed.subarray(4))).toBe(true);
  const keyId = createHash("sha256").update(`${name}\n`).update(material).digest().subarray(0, 4);
  expect([keyId.toString("hex"), signed.subarray(0, 4).toString("hex")]).toEqual([id, id]);
  expect(await verifyCheckpoint(log.checkpoint, log.vkey)).toMatchObject({
    size: 7,
    root: log.roots[7],
  });
});

test("the proof of one record", async () => {
  const record = parse(leafRecord, log.leaves[4]?.record);
  expect(await verifyLogged(record, log.log_proof, log.vkey)).toMatchObject({ size: 7 });
});
