import { expect, test } from "vitest";
import { addSpan, firstGap, type Span } from "./coverage.js";

const seen = (...looks: Span[]) => looks.reduce<Span[]>(addSpan, []);

test("a block counts as seen only when every part of it was on the screen", () => {
  expect(firstGap(seen([0, 100]), 100)).toBeNull();
  expect(firstGap(seen([0, 40], [60, 100]), 100)).toBe(40);
  expect(firstGap(seen([60, 100], [0, 40], [39, 61]), 100)).toBeNull();
  expect(firstGap(seen([10, 100]), 100)).toBe(0);
  expect(firstGap(seen(), 100)).toBe(0);
});

test("a jump from the start to the end leaves the middle unseen, wherever it is", () => {
  for (let offset = 0; offset < 200; offset++) {
    const hidden = 600 + offset * 200;
    const looks = seen([0, hidden], [hidden + 20, 50_000]);
    expect(firstGap(looks, 50_000)).toBe(hidden);
    expect(firstGap(addSpan(looks, [hidden - 5, hidden + 25]), 50_000)).toBeNull();
  }
});

test("looks that meet within a hairline are one", () => {
  expect(firstGap(seen([0, 33.4], [33.8, 66.2], [66.9, 99.6]), 100)).toBeNull();
});
