import type { Rectangle } from "@countersign/shared";
import type { DecodedPng } from "fast-png";
import { fillRectangles, writePng } from "../../pictures/png.js";
import { ExecutionError } from "../execution-error.js";
import type { Display } from "./display.js";

/** @param hide programs and titles whose windows are filled in */
export async function redactedScreen(
  display: Display,
  hide: readonly RegExp[],
): Promise<Uint8Array> {
  const hidden = async () =>
    (await display.windows())
      .filter((one) =>
        hide.some((pattern) => pattern.test(one.title) || pattern.test(one.application)),
      )
      .map(({ rectangle }) => rectangle);
  const before = await hidden();
  const picture = await display.picture();
  // A window that moved while the picture was taken is hidden at both places.
  const filled = fillRectangles(picture, [...before, ...(await hidden())].map(within));
  if (!filled) throw new ExecutionError("screen_unreadable");
  return writePng(filled);
}

/** What of a rectangle is on the screen: a window may reach over its edge. */
export function within({ x, y, width, height }: Rectangle): Rectangle {
  const [left, top] = [Math.max(0, x), Math.max(0, y)];
  return {
    x: left,
    y: top,
    width: Math.max(0, x + width - left),
    height: Math.max(0, y + height - top),
  };
}

export const writeRegion = ({ x, y, width, height }: Rectangle): string =>
  `${x},${y} ${width}x${height}`;

export function readRegion(subject: string): Rectangle {
  const numbers = /^(\d+),(\d+) (\d+)x(\d+)$/.exec(subject)?.slice(1).map(Number);
  if (!numbers) throw new TypeError("not a region");
  const [x = 0, y = 0, width = 0, height = 0] = numbers;
  return { x, y, width, height };
}

export function crop(png: DecodedPng, { x, y, width, height }: Rectangle): DecodedPng {
  const [right, bottom] = [Math.min(x + width, png.width), Math.min(y + height, png.height)];
  const row = Math.max(0, right - x) * png.channels;
  const rows = Math.max(0, bottom - y);
  const data = new Uint8Array(row * rows);
  for (let at = 0; at < rows; at++) {
    const from = ((y + at) * png.width + x) * png.channels;
    data.set((png.data as Uint8Array).subarray(from, from + row), at * row);
  }
  return { ...png, width: row / png.channels, height: rows, data };
}
