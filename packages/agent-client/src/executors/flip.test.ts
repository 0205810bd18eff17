import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sha256Text } from "@countersign/shared";
import { describe, expect, it, onTestFinished } from "vitest";
import { startChild } from "../fixtures/child.js";
import { createRoots, signal } from "../fixtures/roots.js";
import { fileExecutor } from "./file-executor.js";

/** `LONG=1` does what the promise says; every run does enough to see it break. */
const rounds = process.env["LONG"] ? 1000 : 100;

describe("a file that another process changes between approval and execution", () => {
  it.each(["in_place", "by_exchange"])(
    "is executed as it was approved or not at all: %s",
    async (how) => {
      const { executor, actionOf, project } = await createFlipped();
      const path = join(project, "flipped");
      const contents = ["approved one", "approved two", "another, longer one"];
      await writeFile(path, contents[0] ?? "");
      const flipper = startChild(
        new URL("../fixtures/flipper.ts", import.meta.url),
        path,
        how,
        ...contents,
      );
      onTestFinished(() => void flipper.child.kill("SIGKILL"));
      await flipper.line(0);
      const executed = { copied: 0, refused: 0 };
      for (let round = 0; round < rounds; round++) {
        const to = `copy-${round}`;
        const copy = await actionOf(executor, "file.copy", {
          from: "vfs://project/flipped",
          to: `vfs://project/${to}`,
        }).catch(() => undefined);
        const approved = copy?.preconditions[0]?.sha256;
        if (!copy || approved === undefined) continue;
        const done = await executor.execute(copy, { signal }).then(
          () => true,
          ({ code }) => expect(code).toBe("precondition_changed"),
        );
        if (done !== true) executed.refused++;
        else {
          executed.copied++;
          expect(sha256Text(await readFile(join(project, to)))).toBe(approved);
        }
      }
      expect(executed.copied).toBeGreaterThan(0);
      expect(executed.refused).toBeGreaterThan(0);
    },
    120_000,
  );
});

async function createFlipped() {
  const world = await createRoots();
  return { ...world, executor: fileExecutor({ roots: world.roots }) };
}
