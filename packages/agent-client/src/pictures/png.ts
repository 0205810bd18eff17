import { type Bytes, concat, type Rectangle, readPictureHeader } from "@countersign/shared";
import { type DecodedPng, decode, encode } from "fast-png";

/** Decoded; undefined for octets that are no still PNG of a size that a phone can show. */
export function readPng(bytes: Uint8Array): DecodedPng | undefined {
  // The header first: a decoder takes as much memory as a file tells it to.
  if (readPictureHeader(concat(bytes))?.mime !== "image/png") return undefined;
  try {
    const { width, height, data, depth, channels, palette, transparency } = decode(bytes);
    if (data.length < Math.ceil((width * channels * depth) / 8) * height) return undefined;
    const pixels = { width, height, data, depth, channels, text: {} };
    return {
      ...pixels,
      ...(palette ? { palette } : {}),
      ...(transparency ? { transparency } : {}),
    };
  } catch {
    return undefined;
  }
}

/** Written anew from the pixels: no text, no time, no profile, nothing behind its end. */
export const writePng = (png: DecodedPng): Bytes => concat(encode(png));

/**
 * Fills rectangles, in pixels, with solid black: what was there is in none of the octets.
 * @returns undefined where the pixels are not whole octets a sample, as no screenshot's are
 */
export function fillRectangles(
  png: DecodedPng,
  rectangles: readonly Rectangle[],
): DecodedPng | undefined {
  const { width, height, channels, depth } = png;
  if (depth < 8 || png.palette || png.transparency) return undefined;
  const data = png.data.slice();
  const opaque = depth === 16 ? 0xffff : 0xff;
  const hasAlpha = channels === 2 || channels === 4;
  for (const { x, y, width: w, height: h } of rectangles) {
    const [left, right] = [clamp(x, width) * channels, clamp(x + w, width) * channels];
    for (let row = clamp(y, height); row < clamp(y + h, height); row++) {
      const start = row * width * channels;
      data.fill(0, start + left, start + right);
      if (!hasAlpha) continue;
      for (let at = start + left + channels - 1; at < start + right; at += channels) {
        data[at] = opaque;
      }
    }
  }
  return { ...png, data };
}

/** The octets of a region's pixels, for a hash: the same pixels give the same octets, however they were packed. */
export function pixelsOf(png: DecodedPng): Uint8Array {
  const { data, width, height, channels, depth } = png;
  const size = Buffer.from(JSON.stringify([width, height, channels, depth, png.palette ?? null]));
  return concat(size, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
}

const clamp = (value: number, most: number): number => Math.min(Math.max(value, 0), most);
