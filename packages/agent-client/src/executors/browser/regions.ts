import { type Rectangle, sha256Text } from "@countersign/shared";
import { pixelsOf, readPng } from "../../pictures/png.js";
import type { Seen } from "./in-page.js";
import type { BrowserPage } from "./page.js";

/** How much around an element counts as its looks: what stands beside a button says what it does. */
const aroundPixels = 16;

const whole = ({ x, y, width, height }: Seen["rectangle"], around: number): Rectangle => {
  const [left, top] = [Math.max(0, Math.floor(x - around)), Math.max(0, Math.floor(y - around))];
  return {
    x: left,
    y: top,
    width: Math.max(1, Math.ceil(x + width + around) - left),
    height: Math.max(1, Math.ceil(y + height + around) - top),
  };
};

/** In pixels of the screenshot, which has one for each CSS pixel of the viewport. */
export const rectangleOf = ({ rectangle }: Seen): Rectangle => whole(rectangle, 0);

export const regionOf = ({ rectangle }: Seen): string => {
  const { x, y, width, height } = whole(rectangle, aroundPixels);
  return `${x},${y} ${width}x${height}`;
};

/** Of the pixels of a region `x,y WIDTHxHEIGHT` of the viewport. */
export async function regionHash(page: BrowserPage, subject: string): Promise<string> {
  const numbers = /^(\d+),(\d+) (\d+)x(\d+)$/.exec(subject)?.slice(1).map(Number);
  if (!numbers) throw new TypeError("not a region");
  const [x = 0, y = 0, width = 0, height = 0] = numbers;
  const clip = { x, y, width, height };
  const png = readPng(await page.screenshot({ clip, scale: "css", caret: "hide" }));
  if (!png) throw new TypeError("not a picture");
  return sha256Text(pixelsOf(png));
}
