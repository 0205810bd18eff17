import { type Bytes, concat, type Screenshot, sha256Text } from "@countersign/shared";

/** PNG, JPEG and WebP, by their own headers: what a caller calls a picture is not asked. */
const readers: readonly ((view: DataView) => Omit<Screenshot, "sha256"> | null)[] = [
  readPng,
  readJpeg,
  readWebp,
];

/** @returns null when the bytes are no PNG, JPEG or WebP of a size that the protocol carries */
export function readPicture(given: Uint8Array): { bytes: Bytes; screenshot: Screenshot } | null {
  const bytes = concat(given);
  const view = new DataView(bytes.buffer);
  for (const read of readers) {
    const found = read(view);
    if (!found) continue;
    const sound = [found.width, found.height].every((side) => side >= 1 && side <= 16_384);
    return sound ? { bytes, screenshot: { sha256: sha256Text(bytes), ...found } } : null;
  }
  return null;
}

/** PNG, section 5.2 and 11.2.1: signature, then IHDR. */
function readPng(view: DataView): Omit<Screenshot, "sha256"> | null {
  if (view.byteLength < 24 || view.getBigUint64(0) !== 0x89504e470d0a1a0an) return null;
  if (tag(view, 12) !== "IHDR") return null;
  return { mime: "image/png", width: view.getUint32(16), height: view.getUint32(20) };
}

/** ITU-T T.81, annex B: segments up to the frame header (SOF), which carries height and width. */
function readJpeg(view: DataView): Omit<Screenshot, "sha256"> | null {
  if (view.byteLength < 4 || view.getUint16(0) !== 0xffd8) return null;
  for (let offset = 2; offset + 9 <= view.byteLength; ) {
    if (view.getUint8(offset) !== 0xff) return null;
    const marker = view.getUint8(offset + 1);
    if (marker === 0xff) {
      offset += 1;
      continue;
    }
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) {
      const height = view.getUint16(offset + 5);
      return { mime: "image/jpeg", width: view.getUint16(offset + 7), height };
    }
    offset += 2 + view.getUint16(offset + 2);
  }
  return null;
}

/** RFC 9649, sections 2.5 to 2.7: lossy, lossless or extended. */
function readWebp(view: DataView): Omit<Screenshot, "sha256"> | null {
  if (view.byteLength < 30 || tag(view, 0) !== "RIFF" || tag(view, 8) !== "WEBP") return null;
  const mime = "image/webp";
  switch (tag(view, 12)) {
    case "VP8 ":
      return {
        mime,
        width: view.getUint16(26, true) & 0x3fff,
        height: view.getUint16(28, true) & 0x3fff,
      };
    case "VP8L": {
      const bits = view.getUint32(21, true);
      return { mime, width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
    }
    case "VP8X": {
      const side = (offset: number) =>
        (view.getUint16(offset, true) | (view.getUint8(offset + 2) << 16)) + 1;
      return { mime, width: side(24), height: side(27) };
    }
    default:
      return null;
  }
}

const tag = (view: DataView, offset: number): string =>
  String.fromCharCode(...new Uint8Array(view.buffer, view.byteOffset + offset, 4));
