import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fileExecutor } from "../executors/file-executor.js";
import { openRoots } from "../executors/roots.js";
import { createHome, createPaired } from "../fixtures/agent.js";
import { startChild } from "../fixtures/child.js";
import { signal } from "../fixtures/roots.js";
import { treeOf } from "../fixtures/transacted.js";
import { openJournal } from "../journal/journal.js";
import { createTransactions } from "../transactions/create-transactions.js";
import { OutcomeUnknown, RolledBack } from "../transactions/ending.js";

/** A paired agent with a project, and a change to it that was approved. */
async function createApproved() {
  const project = await createHome();
  await writeFile(join(project, "a"), "one");
  await mkdir(join(project, "sub"));
  await writeFile(join(project, "sub", "b"), "two");
  const roots = await openRoots({ project });
  const paired = await createPaired({ roots });
  const { home, client, ask, approver, broker } = paired;
  const transactions = await createTransactions({ home, roots });
  const executor = transactions.around(fileExecutor({ roots }));
  const call = { tool: "file.write", args: { path: "vfs://project/a", content: "new" } };
  const { proposal } = await executor.describe(call, { signal });
  const { rid, held } = await ask(proposal);
  broker.yes(rid, broker.honestEvidence(rid, [await approver.approve(held)]));
  expect(await client.wait(rid)).toMatchObject({ status: "approved" });
  return {
    ...{ ...paired, project, executor, rid, text: () => readFile(join(project, "a"), "utf8") },
    async execute() {
      const claimed = await client.claim(rid);
      if (claimed.status !== "claimed") throw new Error(claimed.status);
      await executor.execute(claimed.action, { signal, id: rid });
      await client.report(rid, { status: "succeeded" });
    },
    async outcomes() {
      const journal = await openJournal(home);
      const entry = await journal.read(rid);
      return entry?.outcomes.map(({ n, status, code }) => [n, status, code]);
    },
  };
}

describe("an undo", () => {
  it("puts everything back and is the next outcome, once", async () => {
    const { client, rid, execute, outcomes, text } = await createApproved();
    await execute();
    expect(await text()).toBe("new");
    expect(await client.undo(rid)).toEqual({ n: 2 });
    expect(await client.undo(rid)).toEqual({ n: 2 });
    expect(await text()).toBe("one");
    expect(await outcomes()).toEqual([
      [1, "succeeded", undefined],
      [2, "rolled_back", "undone"],
    ]);
  });

  it("is refused with a code where there is nothing to take back, or later work would be lost", async () => {
    const { client, rid, execute, outcomes, project, text } = await createApproved();
    await expect(client.undo(rid)).rejects.toMatchObject({ code: "nothing_to_undo" });
    await execute();
    await writeFile(join(project, "a"), "later");
    await expect(client.undo(rid)).rejects.toMatchObject({ code: "changed_since" });
    expect(await text()).toBe("later");
    expect(await outcomes()).toHaveLength(1);
  });
});

describe("an execution that a crash interrupts", () => {
  it("is taken back at the next start, and reported so", async () => {
    const { home, project, rid, open, outcomes } = await createApproved();
    const before = treeOf(project);
    const child = startChild(
      new URL("../fixtures/interrupted.ts", import.meta.url),
      home,
      project,
      rid,
    );
    await child.line(0);
    child.child.kill("SIGKILL");
    await child.exited;
    expect(treeOf(project)).not.toEqual(before);
    expect(await (await open()).recover()).toEqual([]);
    expect(treeOf(project)).toEqual(before);
    expect(await outcomes()).toEqual([
      [1, "unknown", "interrupted"],
      [2, "rolled_back", "interrupted"],
    ]);
  });

  it("waits for a person where it cannot be put back", async () => {
    const { home, project, rid, open, outcomes } = await createApproved();
    const child = startChild(
      new URL("../fixtures/interrupted.ts", import.meta.url),
      home,
      project,
      rid,
    );
    await child.line(0);
    child.child.kill("SIGKILL");
    await child.exited;
    await rm(join(home, "shadow.git", "objects"), { recursive: true });
    expect(await (await open()).recover()).toEqual([rid]);
    expect(await outcomes()).toEqual([[1, "unknown", "interrupted"]]);
  });
});

describe("a guarded execution that is taken back", () => {
  it("is reported as rolled back, or as unknown where nobody can say", async () => {
    for (const [error, reported] of [
      [new RolledBack("invariant_broken"), { status: "rolled_back", code: "invariant_broken" }],
      [new OutcomeUnknown("threw"), { status: "unknown", code: "threw" }],
      [new Error("secret words"), { status: "failed", code: "threw" }],
    ] as const) {
      const { broker, client, approver } = await createPaired();
      const guarded = await client.guard(
        { tool: "change", args: null },
        () => Promise.reject(error),
        {
          onPending: ({ rid }) => {
            const held = broker.requests.get(rid);
            if (!held) throw new Error("not requested");
            void approver
              .approve(held)
              .then((approval) => broker.yes(rid, broker.honestEvidence(rid, [approval])));
          },
        },
      );
      expect(guarded).toMatchObject({ status: "approved", outcome: "failed", error });
      expect(broker.state.outcomes).toEqual([{ n: 1, ...reported }]);
    }
  });
});
