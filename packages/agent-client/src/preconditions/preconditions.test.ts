import { mkdir, rename, rm, symlink, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createHome } from "../fixtures/agent.js";
import { fileSha256 } from "./file.js";
import {
  capturePreconditions,
  changedPreconditions,
  createMeasures,
  pageRegion,
} from "./registry.js";
import { treeSha256 } from "./tree.js";

async function createTree() {
  const root = join(await createHome(), "tree");
  await mkdir(join(root, "sub"), { recursive: true });
  await writeFile(join(root, "a"), "one");
  await writeFile(join(root, "sub", "b"), "two");
  await symlink("a", join(root, "link"));
  return root;
}

describe("the kind `tree`", () => {
  it("is the same for the same tree, wherever it stands", async () => {
    const [one, other] = [await createTree(), await createTree()];
    expect(await treeSha256(one)).toBe(await treeSha256(other));
  });

  it("differs with every change below the directory", async () => {
    const changes: ((root: string) => Promise<unknown>)[] = [
      (root) => writeFile(join(root, "a"), "ONE"),
      (root) => writeFile(join(root, "new"), ""),
      (root) => mkdir(join(root, "empty")),
      (root) => rm(join(root, "sub", "b")),
      (root) => rename(join(root, "a"), join(root, "A")),
      (root) => rename(join(root, "sub", "b"), join(root, "b")),
      async (root) => {
        await unlink(join(root, "link"));
        await symlink("sub", join(root, "link"));
      },
      async (root) => {
        await unlink(join(root, "link"));
        await writeFile(join(root, "link"), "a");
      },
    ];
    const before = await treeSha256(await createTree());
    const after = await Promise.all(
      changes.map(async (change) => {
        const root = await createTree();
        await change(root);
        return treeSha256(root);
      }),
    );
    expect(new Set([before, ...after]).size).toBe(changes.length + 1);
  });

  it("never follows a link, the directory itself included", async () => {
    const root = await createTree();
    const outside = join(root, "..", "outside");
    await mkdir(outside);
    await symlink("../outside", join(root, "out"));
    const before = await treeSha256(root);
    await writeFile(join(outside, "secret"), "changed");
    expect(await treeSha256(root)).toBe(before);
    await expect(treeSha256(join(root, "out"))).rejects.toThrow();
  });
});

describe("the kind `file`", () => {
  it("is its content's hash", async () => {
    const path = join(await createHome(), "f");
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), async (content) => {
        await writeFile(path, content);
        const digest = await crypto.subtle.digest("SHA-256", new Uint8Array(content));
        expect(await fileSha256(path)).toBe(Buffer.from(digest).toString("base64url"));
      }),
      { numRuns: 20 },
    );
  });

  it("is nothing for a directory, a relative path or a file that is not there", async () => {
    const home = await createHome();
    for (const subject of [home, "relative", join(home, "missing")]) {
      await expect(fileSha256(subject)).rejects.toThrow();
    }
  });
});

describe("preconditions", () => {
  it("are refused where their kind is unknown or their subject cannot be measured", async () => {
    const measures = createMeasures();
    for (const kind of ["page_region", "constructor", "__proto__"]) {
      expect(await capturePreconditions([{ kind, subject: "x" }], measures)).toEqual({
        ok: false,
        code: "precondition_unknown",
      });
    }
    expect(await capturePreconditions([{ kind: "file", subject: "/missing" }], measures)).toEqual({
      ok: false,
      code: "precondition_unreadable",
    });
  });

  it("count as changed when they cannot be measured any more, or not as a hash", async () => {
    let picture: () => Promise<Uint8Array> = async () => new Uint8Array([1]);
    const measures = createMeasures({ page_region: pageRegion(() => picture()) });
    const captured = await capturePreconditions(
      [{ kind: "page_region", subject: "#pay" }],
      measures,
    );
    if (!captured.ok) throw new Error("not captured");
    expect(await changedPreconditions(captured.preconditions, measures)).toEqual([]);
    picture = async () => new Uint8Array([2]);
    expect(await changedPreconditions(captured.preconditions, measures)).toHaveLength(1);
    picture = () => Promise.reject(new Error("the page is gone"));
    expect(await changedPreconditions(captured.preconditions, measures)).toHaveLength(1);
    expect(await changedPreconditions(captured.preconditions, createMeasures())).toHaveLength(1);
  });

  it("cannot be redefined where they are built in", () => {
    expect(() => createMeasures({ file: async () => "" })).toThrow();
  });
});
