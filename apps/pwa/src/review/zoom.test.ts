import { expect, test } from "vitest";
import { maxScale, panBy, unzoomed, zoomAt, zoomTo } from "./zoom.js";

test("the point under the fingers stays where it is", () => {
  const zoom = zoomAt(unzoomed, 2, { x: 0.25, y: 0.75 });
  expect(zoom.scale).toBe(2);
  // A point p of the picture lies at p * scale + shift.
  expect(0.25 * zoom.scale + zoom.x).toBeCloseTo(0.25);
  expect(0.75 * zoom.scale + zoom.y).toBeCloseTo(0.75);
});

test("the picture always fills its frame, however it is pulled", () => {
  let zoom = zoomAt(unzoomed, 3, { x: 0.5, y: 0.5 });
  for (const [x, y] of [
    [5, 5],
    [-9, 2],
    [0.1, -9],
  ] as const) {
    zoom = panBy(zoom, x, y);
    expect(zoom.x).toBeLessThanOrEqual(0);
    expect(zoom.x + zoom.scale).toBeGreaterThanOrEqual(1);
    expect(zoom.y).toBeLessThanOrEqual(0);
    expect(zoom.y + zoom.scale).toBeGreaterThanOrEqual(1);
  }
  expect(panBy(unzoomed, 1, 1)).toEqual(unzoomed);
});

test("it is never smaller than its frame and never larger than the limit", () => {
  expect(zoomAt(unzoomed, 0.1, { x: 0.5, y: 0.5 })).toEqual(unzoomed);
  expect(zoomAt(unzoomed, 1000, { x: 0.5, y: 0.5 }).scale).toBe(maxScale);
});

test("the target comes to the middle, with its surroundings", () => {
  const zoom = zoomTo({ x: 0.4, y: 0.5, width: 0.1, height: 0.05 });
  expect(zoom.scale).toBe(5);
  expect(0.45 * zoom.scale + zoom.x).toBeCloseTo(0.5);
});
