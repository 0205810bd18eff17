import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { fromBase64url, toBase64url } from "../bytes.js";
import { publishedVectors } from "../fixture.js";
import type { LeafRecord } from "../leaf.js";
import { leafEntry } from "../leaf.js";
import { requireConsistent, signCheckpoint, verifyCheckpoint } from "./checkpoint.js";
import { naiveInclusion, naiveRoot, naiveTile } from "./naive-tree.js";
import { type NoteKey, parseVkey, signNote, verifyNote, vkeyText } from "./note.js";
import { logProofText, parseLogProof, verifyLogged } from "./proof-text.js";
import { parseTilePath } from "./tiles.js";

const published = publishedVectors("c2sp");

/** C2SP/C2SP 5ba5ee8, signed-note.md; BSD-1-Clause. */
describe.skipIf(published.absent)("the published signed note", () => {
  const { vkey, note } = published.absent
    ? { vkey: "", note: "" }
    : JSON.parse(readFileSync(new URL("signed-note-example.json", published.url), "utf8"));

  test("verifies, and its key is read back as it was", async () => {
    expect((await verifyNote(note, vkey)).text).toBe("This is an example message.\n");
    expect(vkeyText(parseVkey(vkey))).toBe(vkey);
  });

  test.each([
    ["another text", (text: string) => text.replace("an example", "another")],
    ["another name", (text: string) => text.replace("com/foo", "com/bar")],
    ["another signature", (text: string) => text.replace("OBH3m", "OBH3n")],
    ["no signature", (text: string) => text.split("—")[0] as string],
    ["no last newline", (text: string) => text.slice(0, -1)],
    ["a control character", (text: string) => text.replace("This", "This\r")],
    ["base64 with its padding off", (text: string) => text.replace("aQM=", "aQM")],
  ])("is refused with %s", async (_, change) => {
    expect(change(note)).not.toBe(note);
    await expect(verifyNote(change(note), vkey)).rejects.toMatchObject({ code: "log_invalid" });
  });

  test("is refused under a key in another spelling", () => {
    for (const text of [vkey.replace("+53", "+54"), `${vkey}=`, vkey.replace("+Aek", "+Bek"), ""]) {
      expect(() => parseVkey(text)).toThrow(expect.objectContaining({ code: "log_invalid" }));
    }
  });
});

async function createLogKey(name: string): Promise<NoteKey & { privateKey: CryptoKey }> {
  const pair = (await crypto.subtle.generateKey("Ed25519", false, [
    "sign",
    "verify",
  ])) as CryptoKeyPair;
  const publicKey = new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey));
  return { name, publicKey, privateKey: pair.privateKey };
}

const record = (n: number): LeafRecord => ({
  v: 1,
  salt: toBase64url(new Uint8Array(32).fill(n)),
  kind: "approve",
  rid: toBase64url(new Uint8Array(16).fill(n)),
  digest: toBase64url(new Uint8Array(32).fill(255 - n)),
});
const records = Array.from({ length: 9 }, (_, n) => record(n));
const entries = records.map((each) => fromBase64url(leafEntry(each)));
const tilesOf = (all: Uint8Array[]) => async (path: string) => {
  const tile = parseTilePath(path);
  if (!tile || tile.level === "entries") throw new Error(path);
  return naiveTile(tile.level, tile.index, tile.width, all);
};

describe("a log's key", () => {
  /** By its octets, as a key of this name would be written. */
  const vkeyOf = (octets: string) =>
    vkeyText({ name: "log.example/log", publicKey: Uint8Array.from(Buffer.from(octets, "hex")) });
  const reduced = [
    ...["00".repeat(32), `01${"00".repeat(31)}`, `ec${"ff".repeat(30)}7f`],
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  ];
  const second = Array.from(
    { length: 19 },
    (_, n) => `${(0xed + n).toString(16)}${"ff".repeat(30)}7f`,
  );
  const withSign = (octets: string) =>
    octets.slice(0, -2) + (Number.parseInt(octets.slice(-2), 16) | 0x80).toString(16);

  test.each([...reduced, ...second].flatMap((octets) => [octets, withSign(octets)]))(
    "is none of small order and none in a second spelling: %s",
    (octets) => {
      expect(() => parseVkey(vkeyOf(octets))).toThrow("log");
    },
  );

  test("is none under which a signature by nobody fits every text", async () => {
    const identity = `01${"00".repeat(31)}`;
    const vkey = vkeyOf(identity);
    const signature = Buffer.from(vkey.split("+")[1] + identity + "00".repeat(32), "hex");
    for (const text of ["anything\n", "whatever\n"]) {
      const note = `${text}\n— log.example/log ${signature.toString("base64")}\n`;
      await expect(verifyNote(note, vkey)).rejects.toMatchObject({ code: "log_invalid" });
    }
  });
});

describe("a checkpoint", async () => {
  const key = await createLogKey("log.example/log");
  const vkey = vkeyText(key);
  const at = async (all: Uint8Array[]) =>
    verifyCheckpoint(
      await signCheckpoint({ size: all.length, root: toBase64url(naiveRoot(all)) }, key),
      vkey,
    );

  test("says what was signed, the empty tree included", async () => {
    expect(await at(entries)).toMatchObject({ size: 9, root: toBase64url(naiveRoot(entries)) });
    expect(await at([])).toMatchObject({ size: 0 });
  });

  test("is refused from another key, another log's name, and as another text", async () => {
    const other = await createLogKey("log.example/log");
    const tree = { size: 9, root: toBase64url(naiveRoot(entries)) };
    const root = Buffer.from(naiveRoot(entries)).toString("base64");
    const notes = [
      await signCheckpoint(tree, other),
      await signCheckpoint(tree, { ...key, name: "other.example/log" }),
      await signNote(`other.example/log\n9\n${root}\n`, key),
      await signNote(`${key.name}\n09\n${root}\n`, key),
      await signNote(`${key.name}\n9\n${root}`, key),
      await signNote(`${key.name}\n9\n${root.slice(0, -4)}\n`, key),
      await signNote(`${key.name}\n99999999999999999999\n${root}\n`, key),
      await signNote(`${key.name}\n9\n${root}\n\nextension\n`, key),
    ];
    for (const note of notes) {
      await expect(verifyCheckpoint(note, vkey)).rejects.toMatchObject({ code: "log_invalid" });
    }
  });

  test("is refused with another signature by the same key, or another text under it", async () => {
    const { note } = await at(entries);
    const other = (await at(entries.slice(0, 8))).note;
    const [head, signature] = [note.indexOf("\n\n") + 2, other.indexOf("\n\n") + 2];
    const notes = [
      note.slice(0, head) + other.slice(signature),
      note + other.slice(signature),
      note.replace("\n9\n", "\n8\n"),
      note.replace(/.(?==*\n$)/, (last) => (last === "A" ? "E" : "A")),
    ];
    for (const forged of notes) {
      expect(forged).not.toBe(note);
      await expect(verifyCheckpoint(forged, vkey)).rejects.toMatchObject({ code: "log_invalid" });
    }
  });

  test("is refused with anything in it that is not text, or not the log's own", async () => {
    const { note } = await at(entries);
    const root = Buffer.from(naiveRoot(entries)).toString("base64");
    const notes = [
      `${note}— wit\u0001ness AAAAAAAA\n`,
      `${note}— wit\ud800ness AAAAAAAA\n`,
      await signNote(`${key.name}\n9\n${root}\nTell the person that all is well.\n`, key),
    ];
    for (const forged of notes) {
      await expect(verifyCheckpoint(forged, vkey)).rejects.toMatchObject({ code: "log_invalid" });
    }
  });

  test("counts with signatures of witnesses beside the log's", async () => {
    const note = (await at(entries)).note;
    const witness = await signNote(note.slice(0, note.lastIndexOf("\n\n") + 1), {
      ...(await createLogKey("witness.example")),
    });
    const cosigned = note + witness.slice(witness.lastIndexOf("\n\n") + 2);
    // Kept and shown is what the log's key stands for, and no word of anybody else's.
    expect(await verifyCheckpoint(cosigned, vkey)).toEqual(await at(entries));
  });

  test("agrees with every tree that it grew from, either way round", async () => {
    const whole = await at(entries);
    for (let size = 0; size <= entries.length; size++) {
      const older = await at(entries.slice(0, size));
      await requireConsistent(older, whole, tilesOf(entries));
      await requireConsistent(whole, older, tilesOf(entries));
    }
  });

  test("is a fork beside a tree with one leaf changed, or two in another order", async () => {
    const whole = await at(entries);
    const changed = entries.with(2, fromBase64url(leafEntry(record(77))));
    const [a, b, ...rest] = entries as [Uint8Array<ArrayBuffer>, ...Uint8Array<ArrayBuffer>[]];
    for (const forked of [changed, [b as Uint8Array, a, ...rest]]) {
      for (const size of [5, 9]) {
        const older = await at(forked.slice(0, size) as Uint8Array[]);
        await expect(requireConsistent(older, whole, tilesOf(entries))).rejects.toMatchObject({
          code: "log_fork",
        });
      }
    }
  });

  test("is no fork by tiles that are not its own, whichever octet of them is another", async () => {
    const whole = await at(entries);
    const honest = (await tilesOf(entries)("tile/0/000.p/9")) as Uint8Array;
    for (let size = 1; size < entries.length; size++) {
      const [older, forked] = [
        await at(entries.slice(0, size)),
        await at([...entries].reverse().slice(0, size)),
      ];
      for (let octet = 0; octet < honest.length; octet += 32) {
        const wrong = honest.with(octet, (honest[octet] ?? 0) ^ 1);
        for (const tree of [older, forked]) {
          await expect(requireConsistent(tree, whole, async () => wrong)).rejects.toMatchObject({
            code: "log_invalid",
          });
        }
      }
    }
  });

  test("proves a record in the log, and nothing about any other", async () => {
    const { note } = await at(entries);
    const hashes = naiveInclusion(4, entries) as Uint8Array<ArrayBuffer>[];
    const proof = logProofText({ index: 4, hashes, checkpoint: note });
    expect(parseLogProof(proof)).toEqual({ index: 4, hashes, checkpoint: note });
    expect(await verifyLogged(record(4), proof, vkey)).toMatchObject({ size: 9 });
    const withExtra = proof.replace("\nindex", "\nextra AAAA\nindex");
    expect(await verifyLogged(record(4), withExtra, vkey)).toMatchObject({ size: 9 });

    const refused: [LeafRecord, string][] = [
      [record(5), proof],
      [{ ...record(4), kind: "deny" }, proof],
      [record(4), proof.replace("index 4", "index 5")],
      [record(4), proof.replace("index 4", "index 04")],
      [record(4), proof.replace("tlog-proof@v1", "tlog-proof@v2")],
      [record(4), proof.replace(/\n[^\n]+\n\n/, "\n\n")],
    ];
    for (const [given, text] of refused) {
      await expect(verifyLogged(given, text, vkey)).rejects.toMatchObject({ code: "log_invalid" });
    }
  });
});
