import { expect, test } from "vitest";
import { foldOf } from "./fold.js";

const texts = [
  "x".repeat(100_000),
  "⟦U+200B⟧".repeat(500),
  "😀".repeat(1_000),
  "a line⏎\n".repeat(100),
  "\n".repeat(40),
  `${"x".repeat(315)}⟦U+E0061⟧${"y".repeat(1_000)}`,
];

test.each(texts)(
  "the three parts of a long text are the text, and none cuts a mark or a character",
  (text) => {
    const fold = foldOf(text);
    if (!fold) throw new Error("not folded");
    expect(fold.start + fold.middle + fold.end).toBe(text);
    for (const part of [fold.start, fold.middle, fold.end]) {
      expect(part).not.toBe("");
      expect(part.split("⟦").length).toBe(part.split("⟧").length);
      expect(part.isWellFormed()).toBe(true);
    }
  },
);

test("what fits a screen stands as it is", () => {
  expect(foldOf("x".repeat(700))).toBeNull();
  expect(foldOf("x\n".repeat(15))).toBeNull();
});
