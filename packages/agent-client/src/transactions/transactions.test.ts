import { execFileSync } from "node:child_process";
import { chmod, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Json, randomId } from "@countersign/shared";
import { describe, expect, it } from "vitest";
import { systemClock } from "../clock.js";
import { fileExecutor } from "../executors/file-executor.js";
import { signal } from "../fixtures/roots.js";
import { createTransacted, treeOf } from "../fixtures/transacted.js";
import type { Executed } from "../gate/executor.js";
import { createTransactions } from "./create-transactions.js";
import { undoTransaction } from "./undo.js";

describe("what others wrote while it ran, and what is put away with it", () => {
  it("can be had back by a person", async () => {
    const { mutating, project, home } = await createTransacted();
    const run = mutating(async () => {
      await writeFile(join(project, "theirs"), "an hour of work");
      throw new Error("no");
    });
    await expect(run()).rejects.toMatchObject({ name: "RolledBack" });
    const git = ["--git-dir", join(home, "shadow.git"), "show"];
    const kept = execFileSync("git", [...git, "countersign/1-taken-back:place-1/theirs"]);
    expect(kept.toString()).toBe("an hour of work");
  });
});

describe("an action with a plan to take it back", () => {
  it("carries it, and says that it can be undone", async () => {
    const { transactions, roots } = await createTransacted();
    const executor = transactions.around(fileExecutor({ roots }));
    const path = "vfs://project/a";
    const call = { tool: "file.write", args: { path, content: "x" } };
    const { proposal } = await executor.describe(call, { signal });
    expect(proposal.reversible).toBe(true);
    expect(proposal.undo).toEqual({ kind: "restore", paths: [path], invariants: [] });
    const read = { tool: "file.read", args: { path } };
    const harmless = await executor.describe(read, { signal });
    expect(harmless.proposal).toMatchObject({ reversible: false });
    expect(harmless.proposal).not.toHaveProperty("undo");
  });

  it("can be taken back, twice to no further effect", async () => {
    const { transactions, roots, actionOf, project } = await createTransacted();
    const executor = transactions.around(fileExecutor({ roots }));
    const before = await treeOf(project);
    const calls = [
      ["file.write", { path: "vfs://project/a", content: "x" }],
      ["file.write", { path: "vfs://project/new", content: "x" }],
      ["file.move", { from: "vfs://project/a", to: "vfs://project/sub/moved" }],
      ["folder.delete", { path: "vfs://project/sub", recursive: true }],
      ["file.delete", { path: "vfs://project/new" }],
    ] as const;
    const done: { action: Awaited<ReturnType<typeof actionOf>>; executed: Executed }[] = [];
    for (const [tool, args] of calls) {
      const action = await actionOf(executor, tool, args);
      done.push({ action, executed: await executor.execute(action, { signal }) });
    }
    for (const { action, executed } of done.reverse()) {
      await executor.undo?.(action, executed.undo ?? null, { signal });
      await executor.undo?.(action, executed.undo ?? null, { signal });
    }
    expect(await treeOf(project)).toEqual(before);
  });

  it("is not taken back where that would take later work with it", async () => {
    const { transactions, roots, actionOf, project } = await createTransacted();
    const executor = transactions.around(fileExecutor({ roots }));
    const args = { path: "vfs://project/a", content: "x" };
    const action = await actionOf(executor, "file.write", args);
    const { undo = null } = await executor.execute(action, { signal });
    await writeFile(join(project, "a"), "later work");
    await expect(executor.undo?.(action, undo, { signal })).rejects.toMatchObject({
      code: "changed_since",
    });
    expect(await readFile(join(project, "a"), "utf8")).toBe("later work");
  });

  it("is taken back by its request's id, by a process that was configured for nothing", async () => {
    const { transactions, context, roots, actionOf, project } = await createTransacted();
    const executor = transactions.around(fileExecutor({ roots }));
    const before = await treeOf(project);
    const args = { path: "vfs://project/a", content: "x" };
    const id = randomId();
    await executor.execute(await actionOf(executor, "file.write", args), { signal, id });
    await undoTransaction(await context(), { id }, { clock: systemClock });
    expect(await treeOf(project)).toEqual(before);
    await undoTransaction(await context(), { id }, { clock: systemClock });
    const missing = undoTransaction(await context(), { id: randomId() }, { clock: systemClock });
    await expect(missing).rejects.toMatchObject({ code: "nothing_to_undo" });
  });
});

describe("a transaction that fails", () => {
  it("leaves everything as it was, and says so", async () => {
    const { mutating, project, ended } = await createTransacted();
    await symlink("a", join(project, "link"));
    await writeFile(join(project, "run"), "", { mode: 0o755 });
    const before = await treeOf(project);
    const failing = mutating(async () => {
      await writeFile(join(project, "a"), "x");
      await rm(join(project, "link"));
      await mkdir(join(project, "link"));
      await chmod(join(project, "run"), 0o600);
      await rm(join(project, "sub"), { recursive: true });
      await writeFile(join(project, "new\\name \u00ff"), "x");
      throw new Error("half way");
    });
    await expect(failing()).rejects.toMatchObject({ name: "RolledBack", code: "threw" });
    expect(await treeOf(project)).toEqual(before);
    expect(await ended()).toMatchObject({ status: "rolled_back", code: "threw" });
  });

  it("is what it threw where nothing had changed", async () => {
    const { mutating, ended } = await createTransacted();
    const failing = mutating(async () => Promise.reject(new TypeError("early")));
    await expect(failing()).rejects.toThrow(TypeError);
    expect(await ended()).toMatchObject({ status: "rolled_back" });
  });

  it.each<[string, Json]>([
    ["a file is missing", { kind: "file", path: "vfs://project/none", is: "present" }],
    ["a file is there", { kind: "file", path: "vfs://project/a", is: "absent" }],
    ["a command fails", { kind: "command", program: "false", args: [] }],
    ["a folder is out of reach", { kind: "file", path: "vfs://x/a", is: "absent" }],
  ])("is rolled back when afterwards %s", async (_, invariant) => {
    const { mutating, project, ended } = await createTransacted();
    const before = await treeOf(project);
    const change = mutating(() => writeFile(join(project, "a"), "x"), [invariant]);
    await expect(change()).rejects.toMatchObject({ name: "RolledBack", code: "invariant_broken" });
    expect(await treeOf(project)).toEqual(before);
    expect(await ended()).toMatchObject({ status: "rolled_back", code: "invariant_broken" });
  });

  it("stays when all that must hold does", async () => {
    const { mutating, project, ended } = await createTransacted();
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as { port: number };
    const invariants = [
      { kind: "file", path: "vfs://project/a", is: "present" },
      { kind: "file", path: "vfs://project/none", is: "absent" },
      { kind: "command", program: "grep", args: ["-q", "changed", "a"] },
      { kind: "port", host: "127.0.0.1", port },
    ];
    await mutating(() => writeFile(join(project, "a"), "changed"), invariants)();
    server.close();
    expect(await readFile(join(project, "a"), "utf8")).toBe("changed");
    expect(await ended()).toMatchObject({ status: "committed" });
  });

  it("is unknown, and never said to be rolled back, where it cannot be put back", async () => {
    const { mutating, home, project, ended } = await createTransacted();
    const failing = mutating(async () => {
      await writeFile(join(project, "a"), "x");
      await rm(join(home, "shadow.git", "objects"), { recursive: true });
      throw new Error();
    });
    await expect(failing()).rejects.toMatchObject({ name: "OutcomeUnknown" });
    expect(await ended()).toMatchObject({ status: "unknown" });
  });
});

describe("transactions", () => {
  it("are one at a time", async () => {
    const { mutating, project } = await createTransacted();
    let inside = 0;
    const most: number[] = [];
    const one = mutating(async () => {
      most.push(++inside);
      await writeFile(join(project, "a"), String(Math.random()));
      await sleep(200);
      inside--;
    });
    await Promise.all([one(), one(), one(), one()]);
    expect(most).toEqual([1, 1, 1, 1]);
  });

  it("are kept outside of what they keep", async () => {
    const { roots, project } = await createTransacted();
    const home = join(project, "home");
    await mkdir(home, { mode: 0o700 });
    await expect(createTransactions({ home, roots })).rejects.toMatchObject({
      code: "invalid_options",
    });
  });

  it("keep a git repository of the project as it is, and never use it", async () => {
    const { mutating, project } = await createTransacted();
    await mkdir(join(project, ".git"));
    await writeFile(join(project, ".git", "index"), "the user's");
    const before = await treeOf(project);
    const failing = mutating(async () => {
      await rm(join(project, ".git"), { recursive: true });
      throw new Error();
    });
    await expect(failing()).rejects.toMatchObject({ name: "RolledBack" });
    expect(await treeOf(project)).toEqual(before);
  });
});
