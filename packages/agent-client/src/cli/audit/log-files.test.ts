import { cp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { encodeEntries, randomNonce, utf8 } from "@countersign/shared";
import { createSoftLog } from "@countersign/test-kit/soft-log";
import { describe, expect, it } from "vitest";
import { createHome } from "../../fixtures/agent.js";
import { mirrorLog, readCopiedNotes } from "./mirror-log.js";
import { folderSource, type LogSource } from "./source.js";
import { openVerifiedLog, readHead } from "./verified-log.js";
import { verifyWholeLog } from "./verify-log.js";

type SoftLog = ReturnType<typeof createSoftLog>;

function growLog(log: SoftLog, size: number): void {
  while (log.entries.length < size) log.append({ kind: "open", digest: randomNonce() });
}

/** A log as a server shows it. @param reads how many before it is gone */
function served(log: SoftLog, reads = Number.POSITIVE_INFINITY): LogSource {
  let left = reads;
  return {
    name: "log",
    async read(path) {
      if (left-- <= 0) throw new Error("the line is cut");
      return path === "checkpoint" ? utf8(log.checkpoint()) : log.tile(path);
    },
  };
}

async function createMirror(size: number) {
  const log = createSoftLog("localhost:4000/log");
  const directory = await createHome();
  growLog(log, size);
  await mirrorLog(served(log), directory, log.vkey);
  return { log, directory };
}

const filesIn = async (directory: string): Promise<string[]> => {
  const found = await readdir(directory, { recursive: true, withFileTypes: true });
  return found
    .filter((each) => each.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(directory.length + 1))
    .sort();
};

async function verifyMirror(directory: string, logKey: string) {
  return verifyWholeLog(folderSource(directory), logKey, await readCopiedNotes(directory, logKey));
}

async function openMirror(directory: string, logKey: string) {
  const source = folderSource(directory);
  return openVerifiedLog(source, await readHead(source, logKey));
}

describe("a mirror", () => {
  it("grows with the log, holds what its checkpoint needs, and is sound after each step", async () => {
    const log = createSoftLog("localhost:4000/log");
    const directory = await createHome();
    for (const size of [0, 1, 255, 256, 257, 512, 700]) {
      growLog(log, size);
      const { head } = await mirrorLog(served(log), directory, log.vkey);
      expect(head.size).toBe(size);
      expect((await verifyMirror(directory, log.vkey)).faults).toEqual([]);
    }
    const files = await filesIn(directory);
    expect(files.filter((path) => path.startsWith("tile/"))).toEqual([
      "tile/0/000",
      "tile/0/001",
      "tile/0/002.p/188",
      "tile/1/000.p/2",
      "tile/entries/000",
      "tile/entries/001",
      "tile/entries/002.p/188",
    ]);
    expect(files.filter((path) => path.startsWith("checkpoints/"))).toHaveLength(7);
    for (const path of files.filter((each) => each.startsWith("tile/"))) {
      expect(new Uint8Array(await readFile(join(directory, path)))).toEqual(log.tile(path));
    }
  });

  it("that was cut short at any read is continued, and becomes the same", async () => {
    const { log, directory } = await createMirror(300);
    growLog(log, 700);
    const whole = await createHome();
    await mirrorLog(served(log), whole, log.vkey);
    for (let reads = 0; ; reads++) {
      const interrupted = await createHome();
      await cp(directory, interrupted, { recursive: true });
      const cut = await mirrorLog(served(log, reads), interrupted, log.vkey).catch(() => "cut");
      if (cut !== "cut") break;
      await mirrorLog(served(log), interrupted, log.vkey);
      expect((await verifyMirror(interrupted, log.vkey)).faults).toEqual([]);
      const tiles = (await filesIn(interrupted)).filter((path) => path.startsWith("tile/"));
      expect(tiles).toEqual((await filesIn(whole)).filter((path) => path.startsWith("tile/")));
    }
  });

  it("takes nothing of a log that was forked or rolled back, and keeps the note that proves it", async () => {
    const { log, directory } = await createMirror(300);
    const before = await filesIn(directory);
    const [entry] = log.entries.slice(200);
    growLog(log, 400);
    log.entries.splice(100, 1, entry as never);
    await expect(mirrorLog(served(log), directory, log.vkey)).rejects.toMatchObject({
      fault: { what: "forked" },
    });
    log.entries.length = 250;
    await expect(mirrorLog(served(log), directory, log.vkey)).rejects.toMatchObject({
      fault: { what: "rolled_back", where: expect.stringContaining("300") },
    });
    const added = (await filesIn(directory)).filter((path) => !before.includes(path));
    expect(added).toEqual([
      expect.stringMatching(/^contradictions\/250-/),
      expect.stringMatching(/^contradictions\/400-/),
    ]);
  });

  it("stays with the tree that it began to copy, though nothing of it was finished", async () => {
    const log = createSoftLog("localhost:4000/log");
    const directory = await createHome();
    growLog(log, 600);
    await expect(mirrorLog(served(log, 8), directory, log.vkey)).rejects.toThrow("cut");
    expect(await filesIn(directory)).toContain("tile/0/000");
    log.entries.reverse();
    await expect(mirrorLog(served(log), directory, log.vkey)).rejects.toMatchObject({
      fault: { what: "forked" },
    });
  });
});

describe("verify", () => {
  it("says of every file in which one byte was changed that it is this one, or what it says of another", async () => {
    const { log, directory } = await createMirror(600);
    const files = (await filesIn(directory)).filter((path) => !path.startsWith("checkpoints/"));
    expect(files).toHaveLength(8);
    for (const path of files) {
      const octets = await readFile(join(directory, path));
      for (const at of [0, Math.floor(octets.length / 2), octets.length - 2]) {
        const changed = Buffer.from(octets);
        changed[at] = (changed[at] as number) ^ 1;
        await writeFile(join(directory, path), changed);
        const { faults } = await verifyMirror(directory, log.vkey);
        const told = faults.map(({ what, where }) => `${what} ${where}`).join("\n");
        // An entry is told by its number, a tile of the right edge by the root that it does not lead to.
        expect(told).toMatch(path.includes(".p/") ? /root_differs|entry|malformed/ : path);
        const bundle = /^tile\/entries\/00(\d)/.exec(path)?.[1];
        if (bundle !== undefined && !told.includes("malformed")) {
          const entry = Number(bundle) * 256 + Math.floor(at / 34);
          expect(told).toContain(`entry_differs entry ${entry}, in ${path}`);
        }
      }
      await writeFile(join(directory, path), octets.subarray(0, -1));
      expect((await verifyMirror(directory, log.vkey)).faults).not.toEqual([]);
      await rm(join(directory, path));
      const { faults } = await verifyMirror(directory, log.vkey);
      expect(faults).toContainEqual({ what: "missing", where: path });
      await writeFile(join(directory, path), octets);
    }
    expect((await verifyMirror(directory, log.vkey)).faults).toEqual([]);
  });

  it("says which entries were put in another order", async () => {
    const { log, directory } = await createMirror(600);
    const swapped = [...log.entries.slice(256, 512)];
    [swapped[3], swapped[7]] = [swapped[7] as never, swapped[3] as never];
    await writeFile(join(directory, "tile/entries/001"), encodeEntries(swapped));
    const { faults } = await verifyMirror(directory, log.vkey);
    expect(faults).toEqual([{ what: "entry_differs", where: "entry 259, in tile/entries/001" }]);
  });

  it("finds what was rewritten down to the signature: by older checkpoints between which, by a mirror where", async () => {
    const { log, directory } = await createMirror(300);
    growLog(log, 400);
    await mirrorLog(served(log), directory, log.vkey);
    growLog(log, 600);
    log.entries.splice(350, 1, log.entries[5] as never);
    const known = await readCopiedNotes(directory, log.vkey);
    expect((await verifyWholeLog(served(log), log.vkey, [])).faults).toEqual([]);
    const between = { what: "forked", where: expect.stringMatching(/before 300 .* up to 400/) };
    expect((await verifyWholeLog(served(log), log.vkey, known)).faults).toEqual([between]);
    const mirror = await openMirror(directory, log.vkey);
    const { faults } = await verifyWholeLog(served(log), log.vkey, known, mirror);
    expect(faults).toEqual([
      between,
      { what: "forked", where: "entry 350 is not the one in the mirror" },
    ]);
  });

  it("finds that the end was cut off, though the rest is as it was", async () => {
    const { log, directory } = await createMirror(600);
    log.entries.length = 580;
    const mirror = await openMirror(directory, log.vkey);
    const { faults } = await verifyWholeLog(served(log), log.vkey, [], mirror);
    expect(faults).toEqual([{ what: "rolled_back", where: "it had 600 entries, now it has 580" }]);
  });

  it("takes no checkpoint of another key", async () => {
    const { directory } = await createMirror(3);
    const other = createSoftLog("localhost:4000/log");
    const { faults } = await verifyWholeLog(folderSource(directory), other.vkey, []);
    expect(faults).toMatchObject([{ what: "signature" }]);
  });
});
