import { expect, test } from "vitest";
import type { Json } from "../json.js";
import { maxViewCharacters, maxViewRows } from "./budget.js";
import { viewOf } from "./fixture.js";

const tooLarge = expect.objectContaining({ code: "too_large" });

test.each<[string, Json]>([
  ["a long name before many values", { ["n".repeat(1_000_000)]: Array(400_000).fill(0) }],
  ["many values", Array(maxViewRows + 1).fill(0)],
  [
    "long names within long names",
    { ["a".repeat(500_000)]: { ["b".repeat(500_000)]: [1, 2, 3, 4, 5] } },
  ],
  ["hidden characters, each of which becomes a mark", "\u200b".repeat(maxViewCharacters / 4)],
  ["addresses, of which each says more than itself", Array(9_000).fill("http://a.example")],
])("no view is built that a phone could not hold: %s", (_what, args) => {
  expect(() => viewOf("some.tool", args)).toThrow(tooLarge);
});

test("what is given as undo, environment or target counts as well", () => {
  const undo = { ["n".repeat(1_000_000)]: Array(400_000).fill(0) };
  expect(() => viewOf("some.tool", {}, { undo })).toThrow(tooLarge);
});

test("a long text and a long list are shown whole", () => {
  // The space at its end becomes a mark of nine characters.
  const text = "word ".repeat(200_000);
  expect(viewOf("some.tool", { text }).map(([, value]) => value.length)).toContain(1_000_008);
  expect(viewOf("some.tool", Array(19_000).fill(0)).length).toBeGreaterThan(19_000);
});
