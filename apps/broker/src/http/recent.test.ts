import { expect, it } from "vitest";
import { createRecent } from "./recent.js";

it("remembers the latest things, however many there were", () => {
  const recent = createRecent(10);
  for (let n = 0; n < 1000; n++) expect(recent.isNews(`thing ${n}`, "pending")).toBe(true);
  expect(recent.isNews("thing 990", "pending")).toBe(false);
  expect(recent.isNews("thing 990", "denied")).toBe(true);
  expect(recent.isNews("new", "pending")).toBe(true);
  expect(recent.isNews("thing 990", "denied")).toBe(false);
  // Gone since something newer came: not everything is kept.
  expect(recent.isNews("thing 991", "pending")).toBe(true);
});
