import {
  appendEntries,
  type Bytes,
  concat,
  edgeRoot,
  emptyEdge,
  leafHash,
  parseTilePath,
  randomBytes,
  randomId,
  signCheckpoint,
  toBase64url,
  utf8,
  vkeyText,
} from "@countersign/shared";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { CallError } from "../api/call.js";
import { logKeyOf, lookAtLog } from "./log.js";

// The phone's disk and the network, in the hands of the test.
const disk = new Map<unknown, unknown>();
let log: Awaited<ReturnType<typeof createLog>>;
let shownKey: string;
let answer: (path: string) => Promise<Bytes | undefined>;

/** A log of fewer than 256 entries, which a test can change as it likes. */
async function createLog() {
  const pair = await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]);
  const { publicKey, privateKey } = pair as CryptoKeyPair;
  const raw = new Uint8Array(await crypto.subtle.exportKey("raw", publicKey));
  const key = { name: "sign.example/log", publicKey: raw, privateKey };
  const entries: Bytes[] = [];
  return {
    vkey: vkeyText(key),
    entries,
    checkpoint: (size = entries.length) => {
      const { edge } = appendEntries(emptyEdge, entries.slice(0, size));
      return signCheckpoint({ size, root: toBase64url(edgeRoot(edge)) }, key);
    },
    tile: (path: string) =>
      concat(...entries.slice(0, parseTilePath(path)?.width ?? 0).map(leafHash)),
  };
}

vi.mock("../keys/database.js", () => ({
  readRecord: async (_: string, key: string) => disk.get(key),
  writeRecordIf: async (_: string, key: string, record: object, wanted: (it: unknown) => boolean) =>
    wanted(disk.get(key)) && disk.set(key, record) === disk,
}));
vi.mock("../api/endpoints.js", () => ({ getSite: async () => ({ log_key: shownKey }) }));
vi.mock("../api/call.js", async (original) => ({
  ...(await original<typeof import("../api/call.js")>()),
  callForBytes: async (path: string) => {
    const found = await answer(path.slice("/log/".length));
    if (found === undefined) throw new CallError("not_found");
    return found;
  },
}));

const honest = async (path: string) =>
  path === "checkpoint" ? utf8(await log.checkpoint()) : log.tile(path);
const grow = (count: number) => {
  for (let n = 0; n < count; n++) log.entries.push(randomBytes(32));
};
let issuer: string;
const look = () => lookAtLog(issuer);

beforeEach(async () => {
  log = await createLog();
  shownKey = log.vkey;
  answer = honest;
  issuer = randomId();
  grow(6);
  expect(await look()).toMatchObject({ kind: "followed", tree: { size: 6 } });
});

describe("a phone follows its server's log", () => {
  test("as it grows, and when nothing happened", async () => {
    for (const growth of [0, 1, 150, 40]) {
      grow(growth);
      const size = log.entries.length;
      expect(await look()).toMatchObject({ kind: "followed", tree: { size } });
    }
  });

  test.each<[string, () => void]>([
    ["an entry was rewritten", () => log.entries[1]?.fill(0)],
    [
      "an entry was rewritten and the log grew",
      () => {
        log.entries[1]?.fill(0);
        grow(3);
      },
    ],
    ["it is shorter than it was", () => log.entries.splice(3)],
    [
      "it was rolled back and grew past its old end",
      () => {
        log.entries.splice(3);
        grow(9);
      },
    ],
  ])("and shows both states when %s, for as long as that is so", async (_, tamper) => {
    const known = await log.checkpoint();
    const before = log.entries.map((entry) => new Uint8Array(entry));
    tamper();
    const contradicted = { kind: "contradicted", known, shown: await log.checkpoint() };
    expect(await look()).toEqual(contradicted);
    expect(await look()).toEqual(contradicted);
    log.entries.splice(0, Number.POSITIVE_INFINITY, ...before);
    expect(await look()).toMatchObject({ kind: "followed", tree: { size: 6 } });
  });

  test("and takes an older state of the very log for a roll-back, though its tiles are all there", async () => {
    const known = await log.checkpoint();
    const shown = await log.checkpoint(4);
    answer = async (path) => (path === "checkpoint" ? utf8(shown) : honest(path));
    expect(await look()).toEqual({ kind: "contradicted", known, shown });
    expect(disk.get(issuer)).toMatchObject({ checkpoint: { size: 6 } });
  });

  test("by the key that it saw first, and no other", async () => {
    const known = await log.checkpoint();
    const key = await logKeyOf(issuer);
    log = await createLog();
    shownKey = log.vkey;
    grow(9);
    expect(await look()).toEqual({ kind: "contradicted", known, shown: await log.checkpoint() });
    expect(await logKeyOf(issuer)).toBe(key);
  });

  test("and takes a tile that is another tree's for a contradiction, one that is missing for none", async () => {
    grow(3);
    answer = async (path) => (path.startsWith("tile/") ? undefined : honest(path));
    expect(await look()).toEqual({ kind: "withheld" });
    answer = async (path) => (path.startsWith("tile/") ? new Uint8Array(32 * 9) : honest(path));
    expect(await look()).toMatchObject({ kind: "contradicted" });
    answer = honest;
    expect(await look()).toMatchObject({ kind: "followed", tree: { size: 9 } });
  });

  test("and goes back for no tab that was answered late", async () => {
    grow(2);
    let second: Promise<unknown> | undefined;
    answer = async (path) => {
      const shown = await honest(path);
      // While this tab is on its way, another one sees a longer log.
      if (path === "checkpoint" && !second) {
        grow(2);
        second = look();
      }
      return shown;
    };
    expect(await look()).toMatchObject({ kind: "followed", tree: { size: 8 } });
    expect(await second).toMatchObject({ kind: "followed", tree: { size: 10 } });
    expect(disk.get(issuer)).toMatchObject({ checkpoint: { size: 10 } });
  });

  test("and compares what another tab was shown in the last moment", async () => {
    grow(3);
    const own = [...log.entries];
    let tiles = 0;
    answer = async (path) => {
      if (path.startsWith("tile/")) tiles += 1;
      if (tiles !== 2) return honest(path);
      answer = honest;
      log.entries.splice(6);
      grow(2);
      expect(await look()).toMatchObject({ kind: "followed", tree: { size: 8 } });
      log.entries.splice(0, Number.POSITIVE_INFINITY, ...own);
      return honest(path);
    };
    expect(await look()).toMatchObject({ kind: "contradicted" });
    expect(disk.get(issuer)).toMatchObject({ checkpoint: { size: 8 } });
  });
});
