import type { Rectangle } from "@countersign/shared";
import { fillRectangles, readPng, writePng } from "./png.js";

/**
 * Fills regions of a screenshot with solid black and writes it anew, before anything else sees it: a password that
 * stands on the screen is then in no request, sealed or not.
 * @param png the screenshot as PNG: what cannot be decoded cannot be redacted
 * @param regions in pixels of the picture; what lies outside of it is left out
 * @throws TypeError when the octets are no PNG whose pixels can be filled
 */
export function redactPicture(png: Uint8Array, regions: readonly Rectangle[]): Uint8Array {
  const read = readPng(png);
  const filled = read && fillRectangles(read, regions);
  if (!filled) throw new TypeError("only a PNG of whole samples can be redacted");
  return writePng(filled);
}
