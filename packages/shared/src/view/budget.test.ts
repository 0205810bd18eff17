import { expect, test } from "vitest";
import type { Action } from "../action.js";
import type { Json } from "../json.js";
import { maxViewCharacters, maxViewRows, requireSmallAction, requireSmallView } from "./budget.js";
import { exhaustive, viewOf } from "./fixture.js";
import type { Row } from "./row.js";

const tooLarge = expect.objectContaining({ code: "too_large" });

test.each<[string, Json]>([
  ["a long name before many values", { ["n".repeat(1_000_000)]: Array(400_000).fill(0) }],
  ["many values", Array(maxViewRows + 1).fill(0)],
  [
    "long names within long names",
    { ["a".repeat(500_000)]: { ["b".repeat(500_000)]: [1, 2, 3, 4, 5] } },
  ],
])("no view is built that a phone could not hold: %s", (_what, args) => {
  expect(() => viewOf("some.tool", args)).toThrow(tooLarge);
});

exhaustive.each<[string, Json]>([
  ["hidden characters, each of which becomes a mark", "\u200b".repeat(maxViewCharacters / 4)],
  ["addresses, of which each says more than itself", Array(9_000).fill("http://a.example")],
])("no view is shown that a phone could not hold: %s", (_what, args) => {
  expect(() => viewOf("some.tool", args)).toThrow(tooLarge);
});

test("a view is shown to the last row and the last character that a phone can hold", () => {
  const row = (label: string, value: string): Row => [label, value, "library", "text"];
  const rows = Array<Row>(maxViewRows).fill(row("", ""));
  expect(requireSmallView(rows)).toBe(rows);
  expect(() => requireSmallView([...rows, row("", "")])).toThrow(tooLarge);
  const full = [row("label", "x".repeat(maxViewCharacters - 5))];
  expect(requireSmallView(full)).toBe(full);
  expect(() => requireSmallView([row("labels", full[0]?.[1] ?? "")])).toThrow(tooLarge);
  expect(() => requireSmallView([...full, row("", "x")])).toThrow(tooLarge);
});

/** What stands in `args`, and how many characters its row has beside those of a name that it is under. */
test.each<[string, (name: string) => Json, number]>([
  ["a text", (name) => ({ [name]: "text" }), "args.".length + "text".length],
  ["a number", (name) => ({ [name]: 1 }), "args.".length],
  ["null", (name) => ({ [name]: null }), "args.".length],
  ["an empty list", (name) => ({ [name]: [] }), "args.".length],
  ["an empty object", (name) => ({ [name]: {} }), "args.".length],
  ["one in a list", (name) => ({ [name]: [true] }), "args.[0]".length],
  ["one in an object", (name) => ({ [name]: { a: false } }), "args..a".length],
])("an action is measured as its rows will be: %s", (_what, args, beside) => {
  const action = (length: number) => ({ args: args("n".repeat(length)) }) as unknown as Action;
  expect(() => requireSmallAction(action(maxViewCharacters - beside))).not.toThrow();
  expect(() => requireSmallAction(action(maxViewCharacters - beside + 1))).toThrow(tooLarge);
});

test("what an action does not have is not measured", () => {
  const action = { cwd: undefined, args: Array(maxViewRows).fill(0) } as unknown as Action;
  expect(() => requireSmallAction(action)).not.toThrow();
  expect(() => requireSmallAction({ ...action, cwd: "/" } as Action)).toThrow(
    expect.objectContaining({ code: "too_large", reason: "view" }),
  );
});

test("what is given as undo, environment or target counts as well", () => {
  const undo = { ["n".repeat(1_000_000)]: Array(400_000).fill(0) };
  expect(() => viewOf("some.tool", {}, { undo })).toThrow(tooLarge);
});

exhaustive("a long text and a long list are shown whole", () => {
  // The space at its end becomes a mark of nine characters.
  const text = "word ".repeat(200_000);
  expect(viewOf("some.tool", { text }).map(([, value]) => value.length)).toContain(1_000_008);
  expect(viewOf("some.tool", Array(19_000).fill(0)).length).toBeGreaterThan(19_000);
});
