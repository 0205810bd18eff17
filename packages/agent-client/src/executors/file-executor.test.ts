import { mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Json } from "@countersign/shared";
import { describe, expect, it } from "vitest";
import { createRoots, signal } from "../fixtures/roots.js";
import { fileExecutor } from "./file-executor.js";

async function createFiles() {
  const world = await createRoots();
  const executor = fileExecutor({ roots: world.roots });
  await writeFile(join(world.project, "a.txt"), "one two");
  await mkdir(join(world.project, "sub"));
  const at = (path: string) => join(world.project, path);
  return {
    ...world,
    executor,
    at,
    text: (path: string) => readFile(at(path), "utf8"),
    async run(tool: string, args: Json) {
      const action = await world.actionOf(executor, tool, args);
      return (await executor.execute(action, { signal })).value;
    },
    describe: (tool: string, args: Json) => executor.describe({ tool, args }, { signal }),
  };
}

describe("a text that was shown beside the new one", () => {
  it("is the text that is replaced, or nothing is", async () => {
    const { executor, describe: look, actionOf, text, at } = await createFiles();
    const { proposal } = await look("file.write", { path: "vfs://project/a.txt", content: "new" });
    expect(proposal.args).toMatchObject({ before: "one two" });
    await writeFile(at("a.txt"), "somebody's work");
    // Measured after it was described, as when the phone is asked again because the world had changed.
    const now = await actionOf(executor, "file.write", {
      ...{ path: "vfs://project/a.txt", content: "new" },
    });
    const stale = { ...now, args: proposal.args };
    await expect(executor.execute(stale, { signal })).rejects.toMatchObject({
      code: "precondition_changed",
    });
    expect(await text("a.txt")).toBe("somebody's work");
  });
});

describe("a file call", () => {
  it("does what its words say", async () => {
    const { run, text, at } = await createFiles();
    const path = "vfs://project/a.txt";
    expect(await run("file.read", { path })).toMatchObject({ content: "one two" });
    await run("file.write", { path, content: "three" });
    expect(await text("a.txt")).toBe("three");
    await run("file.write", { path: "vfs://project/sub/new", content: "n" });
    await run("file.edit", { path, before: "three", after: "four" });
    await run("file.append", { path, content: "!" });
    expect(await text("a.txt")).toBe("four!");
    await run("file.copy", { from: path, to: "vfs://project/sub/b" });
    await run("file.copy", { from: path, to: "vfs://project/sub/new", overwrite: true });
    expect(await text("sub/new")).toBe("four!");
    await run("file.move", { from: "vfs://project/sub/b", to: "vfs://project/c" });
    await run("file.move", { from: "vfs://project/c", to: path, overwrite: true });
    await run("folder.create", { path: "vfs://project/sub/folder" });
    expect(await run("folder.list", { path: "vfs://project/sub" })).toEqual([
      { name: "folder", kind: "folder" },
      { name: "new", kind: "file", bytes: 5 },
    ]);
    await run("folder.delete", { path: "vfs://project/sub/folder" });
    await run("folder.delete", { path: "vfs://project/sub", recursive: true });
    await run("file.delete", { path });
    expect(await readdir(at("."))).toEqual([]);
  });

  it("keeps a file's mode, and leaves nothing beside it", async () => {
    const { run, at } = await createFiles();
    await writeFile(at("run.sh"), "#!/bin/sh", { mode: 0o750 });
    await run("file.write", { path: "vfs://project/run.sh", content: "#!/bin/sh\n" });
    expect((await stat(at("run.sh"))).mode & 0o777).toBe(0o750);
    expect((await readdir(at("."))).sort()).toEqual(["a.txt", "run.sh", "sub"]);
  });

  it("shows a person the text before, which it measured itself", async () => {
    const { describe } = await createFiles();
    const path = "vfs://project/a.txt";
    const { proposal, resource, extent } = await describe("file.write", { path, content: "x" });
    expect(proposal.args).toEqual({ path, before: "one two", content: "x" });
    expect(proposal.preconditions).toEqual([{ kind: "file", subject: path }]);
    expect(proposal.reversible).toBe(false);
    expect(resource).toMatchObject({ type: "File", id: path, attributes: { exists: true } });
    expect(extent).toEqual({ files: 1, bytes: 1 });
    await expect(
      describe("file.write", { path, before: "a lie", content: "x" }),
    ).rejects.toMatchObject({ name: "InvalidCall", code: "before_differs" });
  });

  it.each<[string, Json, string]>([
    ["file.read", { path: "vfs://project/missing" }, "not_found"],
    ["file.read", { path: "vfs://project/sub" }, "not_a_file"],
    ["file.read", { path: "vfs://project/a.txt", more: 1 }, "arguments_invalid"],
    ["file.delete", { path: ["vfs://project/a.txt"] }, "arguments_invalid"],
    ["file.edit", { path: "vfs://project/a.txt", before: "x", after: "" }, "before_differs"],
    ["file.edit", { path: "vfs://project/a.txt", before: "o", after: "" }, "before_ambiguous"],
    ["file.copy", { from: "vfs://project/a.txt", to: "vfs://project/a.txt" }, "nested"],
    ["file.move", { from: "vfs://project/sub", to: "vfs://project/sub/x" }, "nested"],
    ["folder.create", { path: "vfs://project/sub" }, "exists"],
    ["folder.delete", { path: "vfs://project/" }, "path_invalid"],
    ["file.rename", { path: "vfs://project/a.txt" }, "tool_unknown"],
  ])("is refused with a code: %s %j -> %s", async (tool, args, code) => {
    const { describe, executor, roots } = await createFiles();
    // The root itself is measured as any folder; it is the effect that cannot be had.
    if (code === "path_invalid") {
      const path = { root: "project", names: [] };
      await expect(roots.openParent(path)).rejects.toMatchObject({ code });
      return;
    }
    expect(executor.tools).not.toContain("file.rename");
    await expect(describe(tool, args)).rejects.toMatchObject({ name: "InvalidCall", code });
  });
});

describe("an approved file action", () => {
  const flips: [string, Json][] = [
    ["file.write", { path: "vfs://project/a.txt", content: "x" }],
    ["file.edit", { path: "vfs://project/a.txt", before: "one", after: "x" }],
    ["file.append", { path: "vfs://project/a.txt", content: "x" }],
    ["file.delete", { path: "vfs://project/a.txt" }],
    ["file.move", { from: "vfs://project/a.txt", to: "vfs://project/b" }],
    ["file.copy", { from: "vfs://project/a.txt", to: "vfs://project/b" }],
  ];

  it.each(flips)("has no effect on a file that changed: %s", async (tool, args) => {
    const { executor, actionOf, at, text } = await createFiles();
    const action = await actionOf(executor, tool, args);
    await writeFile(at("a.txt"), "changed");
    await expect(executor.execute(action, { signal })).rejects.toMatchObject({
      code: "precondition_changed",
    });
    expect(await text("a.txt")).toBe("changed");
    expect((await readdir(at("."))).sort()).toEqual(["a.txt", "sub"]);
  });

  it.each(flips)("has none without the hash that it was approved by: %s", async (tool, args) => {
    const { executor, actionOf, text } = await createFiles();
    const action = await actionOf(executor, tool, args);
    const bare = { ...action, preconditions: [] };
    await expect(executor.execute(bare, { signal })).rejects.toThrow();
    expect(await text("a.txt")).toBe("one two");
  });

  it("makes no file where one has appeared, and replaces none that it was not approved for", async () => {
    const { executor, actionOf, at, text } = await createFiles();
    const calls: [string, Json][] = [
      ["file.write", { path: "vfs://project/b", content: "x" }],
      ["file.copy", { from: "vfs://project/a.txt", to: "vfs://project/b", overwrite: true }],
      ["file.move", { from: "vfs://project/a.txt", to: "vfs://project/b", overwrite: true }],
    ];
    const actions = await Promise.all(calls.map(([tool, args]) => actionOf(executor, tool, args)));
    await writeFile(at("b"), "appeared");
    for (const action of actions) {
      await expect(executor.execute(action, { signal })).rejects.toMatchObject({ code: "exists" });
    }
    expect([await text("a.txt"), await text("b")]).toEqual(["one two", "appeared"]);
  });

  it("deletes no folder with other things in it than it was approved for", async () => {
    const { executor, actionOf, at } = await createFiles();
    const args = { path: "vfs://project/sub", recursive: true };
    const action = await actionOf(executor, "folder.delete", args);
    await writeFile(at("sub/late"), "");
    await expect(executor.execute(action, { signal })).rejects.toMatchObject({
      code: "precondition_changed",
    });
    expect(await readdir(at("sub"))).toEqual(["late"]);
  });

  it("removes a link inside a folder, never what it leads to", async () => {
    const { run, at, outside } = await createFiles();
    await mkdir(join(outside, "kept"));
    await writeFile(join(outside, "kept", "file"), "kept");
    await symlink("../../kept", at("sub/link"));
    await run("folder.delete", { path: "vfs://project/sub", recursive: true });
    expect(await readdir(join(outside, "kept"))).toEqual(["file"]);
  });
});
