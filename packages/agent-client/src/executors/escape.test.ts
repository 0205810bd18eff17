import { execFileSync } from "node:child_process";
import { link, mkdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Action } from "@countersign/shared";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createRoots, signal } from "../fixtures/roots.js";
import type { ToolCall } from "../gate/executor.js";
import { fileExecutor } from "./file-executor.js";
import { openRoots } from "./roots.js";

/** A project with a way out of every kind, and a secret behind each. */
async function createTraps() {
  const world = await createRoots();
  const { outside, project } = world;
  const secret = join(outside, "secret");
  await mkdir(join(outside, "elsewhere"));
  await writeFile(secret, "secret");
  await writeFile(join(outside, "elsewhere", "file"), "secret");
  await mkdir(join(project, "folder"));
  await writeFile(join(project, "folder", "file"), "mine");
  await symlink(secret, join(project, "absolute"));
  await symlink("../secret", join(project, "relative"));
  await symlink("../elsewhere", join(project, "out"));
  await symlink("folder", join(project, "inside"));
  await symlink("/proc/self/root", join(project, "magic"));
  await symlink("../made", join(project, "dangling"));
  execFileSync("mkfifo", [join(project, "fifo")]);
  const executor = fileExecutor({ roots: world.roots });
  return { ...world, secret, executor };
}

const paths: [string, string][] = [
  ["a step up", "vfs://project/../secret"],
  ["steps up in the middle", "vfs://project/folder/../../secret"],
  ["a step up at the end", "vfs://project/folder/.."],
  ["a step on the spot", "vfs://project/./folder/file"],
  ["an empty name", "vfs://project//etc/passwd"],
  ["a slash at the end", "vfs://project/folder/"],
  ["an absolute path", "/etc/passwd"],
  ["a path of the machine", "file:///etc/passwd"],
  ["another scheme", "VFS://project/folder/file"],
  ["no root", "vfs:///folder/file"],
  ["a root that is none", "vfs://other/folder/file"],
  ["a root by another case", "vfs://Project/folder/file"],
  ["a root that is built in", "vfs://constructor/file"],
  ["a step up as a root", "vfs://../secret"],
  ["a user before the root", "vfs://x@project/folder/file"],
  ["NUL", "vfs://project/folder/file\u0000.txt"],
  ["a line feed", "vfs://project/folder\n/file"],
  ["a backslash", "vfs://project/..\\secret"],
  ["half a character", "vfs://project/\ud800"],
  ["steps up, encoded", "vfs://project/%2e%2e/secret"],
  ["steps up, encoded twice", "vfs://project/%252e%252e/secret"],
  ["a slash, encoded", "vfs://project/..%2fsecret"],
  ["full-width stops", "vfs://project/\uff0e\uff0e/secret"],
  ["a slash that looks like one", "vfs://project/..\u2215secret"],
  ["an absolute link", "vfs://project/absolute"],
  ["a relative link", "vfs://project/relative"],
  ["a link to a folder", "vfs://project/out/file"],
  ["a link that stays inside", "vfs://project/inside/file"],
  ["a magic link", "vfs://project/magic/etc/passwd"],
  ["a link to nothing", "vfs://project/dangling"],
  ["a pipe", "vfs://project/fifo"],
  ["a name of ours", "vfs://project/.countersign-AAAAAAAAAAAAAAAAAAAAAA.tmp"],
  ["another case", "vfs://project/FOLDER/FILE"],
  ["a name that is too long", `vfs://project/${"x".repeat(256)}`],
  ["too many names", `vfs://project/${"x/".repeat(65)}x`],
];

afterEach(() => vi.unstubAllEnvs());

describe("a path out of its root", () => {
  it.each(paths)("leads nowhere: %s", async (_, path) => {
    const { executor, secret, outside, project } = await createTraps();
    const inside = "vfs://project/folder/file";
    const calls: ToolCall[] = [
      { tool: "file.read", args: { path } },
      { tool: "file.edit", args: { path, before: "s", after: "x" } },
      { tool: "file.append", args: { path, content: "x" } },
      { tool: "file.delete", args: { path } },
      { tool: "file.copy", args: { from: path, to: "vfs://project/stolen" } },
      { tool: "file.move", args: { from: path, to: "vfs://project/stolen" } },
      { tool: "folder.delete", args: { path, recursive: true } },
    ];
    for (const call of calls) {
      await expect(executor.describe(call, { signal })).rejects.toMatchObject({
        name: "InvalidCall",
      });
      // As if it had been approved all the same.
      const action: Action = { v: 1, ...call, preconditions: [], reversible: false };
      await expect(executor.execute(action, { signal })).rejects.toThrow();
    }
    // Where nothing is, something may be made, but only below the root.
    const made: ToolCall[] = [
      { tool: "file.write", args: { path, content: "x" } },
      { tool: "file.copy", args: { from: inside, to: path } },
      { tool: "folder.create", args: { path: `${path}/x` } },
    ];
    for (const call of made) {
      const action: Action = { v: 1, ...call, preconditions: [], reversible: false };
      await executor.execute(action, { signal }).catch(() => {});
    }
    expect(await readFile(secret, "utf8")).toBe("secret");
    expect(await readFile(join(outside, "elsewhere", "file"), "utf8")).toBe("secret");
    const names = execFileSync("ls", ["-A", outside], { encoding: "utf8" }).split("\n");
    expect(names.filter(Boolean).sort()).toEqual(["elsewhere", "project", "secret"]);
    expect(await readFile(join(project, "folder", "file"), "utf8")).toBe("mine");
  });

  it("is not made by a folder that becomes a link while it is walked", async () => {
    const { executor, project, outside } = await createTraps();
    const [folder, aside] = [join(project, "folder"), join(project, "aside")];
    let racing = true;
    const racer = (async () => {
      while (racing) {
        await rename(folder, aside);
        await symlink(join(outside, "elsewhere"), folder);
        await rm(folder);
        await rename(aside, folder);
      }
    })();
    const seen = new Set<unknown>();
    const action: Action = {
      v: 1,
      tool: "file.read",
      args: { path: "vfs://project/folder/file" },
      preconditions: [],
      reversible: false,
    };
    for (let round = 0; round < 300; round++) {
      const read = await executor
        .execute(action, { signal })
        .catch(({ code }) => ({ value: { content: code } }));
      seen.add((read.value as { content: string }).content);
    }
    racing = false;
    await racer;
    expect(seen).not.toContain("secret");
    expect(seen).toContain("mine");
  });

  it("is not made by another directory in the root's place", async () => {
    const { executor, project, outside } = await createTraps();
    await rename(project, join(outside, "moved"));
    await symlink(join(outside, "elsewhere"), project);
    const call = { tool: "file.read", args: { path: "vfs://project/file" } };
    await expect(executor.describe(call, { signal })).rejects.toMatchObject({
      code: "root_changed",
    });
    await rm(project);
    await mkdir(project);
    await expect(executor.describe(call, { signal })).rejects.toMatchObject({
      code: "root_changed",
    });
  });

  it("changes nothing outside through a hard link", async () => {
    const { executor, project, secret, actionOf } = await createTraps();
    await link(secret, join(project, "hard"));
    const path = "vfs://project/hard";
    for (const [tool, args] of [
      ["file.append", { path, content: "x" }],
      ["file.write", { path, content: "x" }],
      ["file.delete", { path }],
    ] as const) {
      await executor.execute(await actionOf(executor, tool, args), { signal });
    }
    expect(await readFile(secret, "utf8")).toBe("secret");
  });
});

describe("a root", () => {
  it("neither holds the agent's own home nor lies in it", async () => {
    const { outside, project } = await createRoots();
    for (const home of [join(project, "home"), project, outside]) {
      vi.stubEnv("COUNTERSIGN_HOME", home);
      await expect(openRoots({ project })).rejects.toMatchObject({ code: "invalid_options" });
    }
    vi.stubEnv("COUNTERSIGN_HOME", join(outside, "home"));
    await expect(openRoots({ project })).resolves.toBeDefined();
  });

  it("is a directory that is there, by its absolute path", async () => {
    const { outside } = await createRoots();
    await writeFile(join(outside, "file"), "");
    for (const path of ["relative", join(outside, "missing"), join(outside, "file")]) {
      await expect(openRoots({ project: path })).rejects.toThrow();
    }
  });
});
