import type { Bytes } from "./bytes.js";
import type { Screenshot } from "./manifest.js";

/** Type and size as the octets themselves say, read before any decoder sees them. */
export type PictureHeader = Pick<Screenshot, "mime" | "width" | "height">;

const maxSidePixels = 16_384;
/** Decoded, a pixel takes four octets whatever its file took: more than this ends a phone's browser. */
const maxPixels = 40_000_000;

/**
 * Reads the header of a PNG, JPEG or WebP.
 * @returns null for anything else, for a malformed header, for a picture that moves, and for one larger than
 *   16,384 pixels on a side or 40 megapixels
 */
export function readPictureHeader(bytes: Bytes): PictureHeader | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    const header = readPng(view) ?? readJpeg(view) ?? readWebp(view);
    return header && hasBearableSize(header) ? header : null;
  } catch (error) {
    // A DataView throws RangeError past its end: the header is cut off.
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function hasBearableSize({ width, height }: PictureHeader): boolean {
  const sides = [width, height];
  return sides.every((side) => side >= 1 && side <= maxSidePixels) && width * height <= maxPixels;
}

const ascii = (view: DataView, offset: number, length: number): string =>
  String.fromCharCode(...Array.from({ length }, (_, index) => view.getUint8(offset + index)));

/** @see PNG (third edition) 5.2, 11.2.2; `acTL` marks an animation (11.3.5.1) */
function readPng(view: DataView): PictureHeader | null {
  if (view.getUint32(0) !== 0x89504e47 || view.getUint32(4) !== 0x0d0a1a0a) return null;
  if (ascii(view, 12, 4) !== "IHDR") return null;
  for (let offset = 8; ascii(view, offset + 4, 4) !== "IDAT"; ) {
    if (ascii(view, offset + 4, 4) === "acTL") return null;
    offset += 12 + view.getUint32(offset);
  }
  return { mime: "image/png", width: view.getUint32(16), height: view.getUint32(20) };
}

/** @see ITU-T T.81 B.1.1.3 and B.2.2: the first frame header holds the size */
function readJpeg(view: DataView): PictureHeader | null {
  if (view.getUint16(0) !== 0xffd8) return null;
  for (let offset = 2; view.getUint8(offset) === 0xff; ) {
    const marker = view.getUint8(offset + 1);
    if (marker === 0xff) {
      offset += 1;
    } else if (isFrameHeader(marker)) {
      return {
        mime: "image/jpeg",
        width: view.getUint16(offset + 7),
        height: view.getUint16(offset + 5),
      };
    } else {
      const length = view.getUint16(offset + 2);
      // Anything that decoders could read on from elsewhere than we do might show another frame than ours.
      if (hasNoLength(marker) || marker === startOfScan) return null;
      offset += 2 + length;
    }
  }
  return null;
}

const startOfScan = 0xda;

/** Stuffing, TEM, RST0 to RST7, SOI and EOI: no segment follows them. */
const hasNoLength = (marker: number): boolean =>
  marker <= 0x01 || (marker >= 0xd0 && marker <= 0xd9);

/** SOF0 to SOF15 but for DHT, JPG and DAC, which share the range. */
const isFrameHeader = (marker: number): boolean =>
  marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);

const webpAnimation = 0x02;

/** @see RFC 9649 section 2 */
function readWebp(view: DataView): PictureHeader | null {
  if (ascii(view, 0, 4) !== "RIFF" || ascii(view, 8, 4) !== "WEBP") return null;
  const size = webpSize(view, ascii(view, 12, 4));
  return size && { mime: "image/webp", ...size };
}

function webpSize(view: DataView, format: string): { width: number; height: number } | null {
  if (format === "VP8 ") {
    return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
  }
  if (format === "VP8L") {
    const bits = view.getUint32(21, true);
    return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
  }
  if (format === "VP8X" && (view.getUint8(20) & webpAnimation) === 0) {
    const uint24 = (offset: number) =>
      view.getUint16(offset, true) + view.getUint8(offset + 2) * 0x10000;
    return { width: uint24(24) + 1, height: uint24(27) + 1 };
  }
  return null;
}
