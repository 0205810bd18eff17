import { chmod, mkdir, rename, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createTransacted, treeOf } from "../fixtures/transacted.js";
import { settleLast } from "./acquire.js";

const { faults } = vi.hoisted(() => ({
  faults: { at: -1, count: 0, persisted: false },
}));

/** Writing a record fails when it is told to: before anything is there, or after it is. */
vi.mock(import("../home/durable-file.js"), async (original) => {
  const real = await original();
  return {
    ...real,
    async createExclusive(path: string, content: unknown) {
      const isFault = faults.count++ === faults.at;
      const created =
        isFault && !faults.persisted ? false : await real.createExclusive(path, content);
      if (isFault) throw new Error("the disk failed");
      return created;
    },
  };
});

afterEach(() => {
  faults.at = -1;
});

const runs = process.env["LONG"] ? 400 : 25;
const name = fc.constantFrom(
  "a",
  "b",
  "sub",
  "sub/b",
  "sub/c",
  "sub/deep",
  "sub/deep/d",
  "e f",
  "\u00e9",
);

/** What a program may do to a tree; what it cannot do there and then it leaves. */
const mutation = fc.oneof(
  fc.record({
    does: fc.constant("write" as const),
    at: name,
    content: fc.string({ maxLength: 30 }),
  }),
  fc.record({ does: fc.constant("remove" as const), at: name }),
  fc.record({ does: fc.constant("folder" as const), at: name }),
  fc.record({ does: fc.constant("link" as const), at: name, to: name }),
  fc.record({ does: fc.constant("move" as const), at: name, to: name }),
  fc.record({
    does: fc.constant("mode" as const),
    at: name,
    mode: fc.constantFrom(0o600, 0o755, 0o500),
  }),
);
type Mutation = typeof mutation extends fc.Arbitrary<infer M> ? M : never;

async function apply(project: string, change: Mutation): Promise<void> {
  const at = join(project, change.at);
  switch (change.does) {
    case "write":
      return writeFile(at, change.content);
    case "remove":
      return rm(at, { recursive: true });
    case "folder":
      return void (await mkdir(at));
    case "link":
      return symlink(change.to, at);
    case "move":
      return rename(at, join(project, change.to));
    case "mode":
      return chmod(at, change.mode);
  }
}

describe("a roll-back", () => {
  it("leaves every octet as it was, wherever a step fails", async () => {
    const fault = fc.oneof(
      fc.record({ kind: fc.constant("effect" as const), at: fc.nat(12) }),
      fc.record({ kind: fc.constant("record" as const), at: fc.nat(3), persisted: fc.boolean() }),
      fc.record({ kind: fc.constant("invariant" as const) }),
    );
    const seen = new Set<string>();
    await fc.assert(
      fc.asyncProperty(
        fc.array(mutation, { maxLength: 8 }),
        fc.array(mutation, { minLength: 1, maxLength: 12 }),
        fault,
        async (setUp, changes, failing) => {
          const { mutating, project, context, ended } = await createTransacted();
          for (const change of setUp) await apply(project, change).catch(() => {});
          const before = treeOf(project);
          const invariants =
            failing.kind === "invariant"
              ? [{ kind: "file", path: "vfs://project/never", is: "present" }]
              : [];
          faults.count = 0;
          faults.at = failing.kind === "record" ? failing.at : -1;
          faults.persisted = failing.kind === "record" && failing.persisted;
          const outcome = await mutating(async () => {
            for (const [index, change] of changes.entries()) {
              if (failing.kind === "effect" && failing.at === index) throw new Error("half way");
              await apply(project, change).catch(() => {});
            }
          }, invariants)().then(
            () => "committed",
            ({ name: kind }) => kind as string,
          );
          faults.at = -1;
          seen.add(outcome);
          // As the next start does, for what could not be written down.
          await settleLast(await context());
          const end = await ended();
          if (outcome === "committed") expect(end?.status).toBe("committed");
          else {
            expect(end?.status ?? "rolled_back").toBe("rolled_back");
            expect(treeOf(project)).toEqual(before);
          }
        },
      ),
      { numRuns: runs, ...(runs > 100 ? {} : { seed: 7 }) },
    );
    expect(seen).toContain("committed");
    expect(seen).toContain("RolledBack");
  }, 600_000);
});
