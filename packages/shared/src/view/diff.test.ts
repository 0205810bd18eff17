import fc from "fast-check";
import { expect, test } from "vitest";
import { type DiffLine, diffLines } from "./diff.js";

const side = (lines: readonly DiffLine[], sign: "-" | "+") =>
  lines
    .filter((line) => line.sign === sign || line.sign === " ")
    .map(({ text }) => text)
    .join("\n");

test("a difference holds both texts whole", () => {
  const text = fc.array(fc.constantFrom("a", "b", "", " ", "+a", "-a", "a\n"), { maxLength: 12 });
  fc.assert(
    fc.property(text, text, (before, after) => {
      const lines = diffLines(before.join("\n"), after.join("\n"));
      expect(side(lines, "-")).toBe(before.join("\n"));
      expect(side(lines, "+")).toBe(after.join("\n"));
    }),
  );
});

test("only what changed is marked as changed", () => {
  expect(diffLines("a\nb\nc", "a\nx\nc")).toEqual([
    { sign: " ", text: "a" },
    { sign: "-", text: "b" },
    { sign: "+", text: "x" },
    { sign: " ", text: "c" },
  ]);
});

test("texts without a common line are shown one after the other, however long", () => {
  const before = Array.from({ length: 5_000 }, (_, index) => `old ${index}`).join("\n");
  const after = Array.from({ length: 5_000 }, (_, index) => `new ${index}`).join("\n");
  const lines = diffLines(before, after);
  expect([side(lines, "-"), side(lines, "+")]).toEqual([before, after]);
});
