import { mkdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { startChild } from "../fixtures/child.js";
import { filesOf } from "../fixtures/numbered-tree.js";
import { createRoots } from "../fixtures/roots.js";
import { settleLast } from "./acquire.js";
import { openTransactions } from "./create-transactions.js";

const rounds = process.env["LONG"] ? 100 : 5;

describe("a process that is killed in the middle of a transaction", () => {
  it("leaves a tree that is wholly of the last commit, once another one has looked", async () => {
    const { project, outside } = await createRoots();
    const home = join(outside, "home");
    await mkdir(home, { mode: 0o700 });
    let interrupted = 0;
    for (let round = 0; round < rounds; round++) {
      const child = startChild(
        new URL("../fixtures/transactor.ts", import.meta.url),
        home,
        project,
      );
      await child.line(1);
      await sleep(Math.random() * 150);
      child.child.kill("SIGKILL");
      await child.exited;
      const context = await openTransactions(home);
      const last = await context.log.last();
      if (!(await context.log.read(last)).ended) interrupted++;
      await settleLast(context);
      const states: (string | undefined)[] = [];
      for (let n = 1; n <= last; n++) states.push((await context.log.read(n)).ended?.status);
      expect(states).not.toContain("unknown");
      expect(states).not.toContain(undefined);
      const committed = states.filter((status) => status === "committed").length;
      // Whatever was said to be done is there.
      expect(committed).toBeGreaterThanOrEqual(Number(child.lines.at(-1)));
      await expectState(project, committed);
    }
    expect(interrupted).toBeGreaterThan(0);
  }, 600_000);
});

async function expectState(project: string, state: number): Promise<void> {
  for (const { path, content, mode } of filesOf(state)) {
    const at = join(project, path);
    expect(await readFile(at, "utf8").catch(() => undefined)).toBe(content);
    if (content !== undefined) expect((await stat(at)).mode & 0o777).toBe(mode);
  }
}
