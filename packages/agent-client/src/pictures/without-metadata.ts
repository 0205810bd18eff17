import { type Bytes, concat, readPictureHeader } from "@countersign/shared";
import { readPng, writePng } from "./png.js";

/**
 * The picture and nothing else: what a camera, a program or an editor wrote beside it (place, time, names, an earlier
 * version behind the end) stays here. PNG is written anew from its pixels; of JPEG and WebP the other parts are left out.
 * @returns null when the octets are no still PNG, JPEG or WebP of a size that a phone can show
 */
export function withoutMetadata(bytes: Uint8Array): Bytes | null {
  const header = readPictureHeader(concat(bytes));
  switch (header?.mime) {
    case "image/png": {
      const png = readPng(bytes);
      return png ? writePng(png) : null;
    }
    case "image/jpeg":
      return attempt(() => stripJpeg(Buffer.from(bytes)));
    case "image/webp":
      return attempt(() => stripWebp(Buffer.from(bytes)));
    default:
      return null;
  }
}

/** A Buffer throws RangeError past its end: the picture is cut off. */
function attempt(strip: () => Bytes): Bytes | null {
  try {
    return strip();
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

const startOfImage = Buffer.from([0xff, 0xd8]);
const endOfImage = Buffer.from([0xff, 0xd9]);
const startOfScan = 0xda;
/** APP14 says how colours are coded: without it they come out wrong. */
const adobe = 0xee;

/** @see ITU-T T.81 B.1.1: segments up to the first scan, then entropy-coded data with segments between scans */
function stripJpeg(bytes: Buffer): Bytes {
  const kept: Uint8Array[] = [startOfImage];
  let offset = 2;
  for (;;) {
    const marker = bytes.readUInt16BE(offset) & 0xff;
    if (bytes.readUInt8(offset) !== 0xff) throw new RangeError("not a marker");
    if (marker === 0xff) {
      offset += 1;
      continue;
    }
    if (marker === 0xd9) return concat(...kept, endOfImage);
    const end = offset + 2 + bytes.readUInt16BE(offset + 2);
    if (end > bytes.length) throw new RangeError("cut off");
    const isApplication = marker >= 0xe0 && marker <= 0xef && marker !== adobe;
    const isComment = marker === 0xfe;
    if (!isApplication && !isComment) kept.push(bytes.subarray(offset, end));
    offset = end;
    if (marker === startOfScan) {
      const next = endOfScan(bytes, offset);
      kept.push(bytes.subarray(offset, next));
      offset = next;
    }
  }
}

/** Within a scan 0xff is followed by a zero or a restart marker; anything else ends it. */
function endOfScan(bytes: Buffer, from: number): number {
  for (let at = from; ; at++) {
    if (bytes.readUInt8(at) !== 0xff) continue;
    const next = bytes.readUInt8(at + 1);
    if (next !== 0x00 && !(next >= 0xd0 && next <= 0xd7)) return at;
  }
}

/** Pixels, their transparency, and the flags that say what there is. */
const webpChunks = ["VP8 ", "VP8L", "VP8X", "ALPH"];
const webpAlpha = 0x10;

/** @see RFC 9649, section 2.3: chunks padded to even length */
function stripWebp(bytes: Buffer): Bytes {
  const kept: Uint8Array[] = [];
  const end = 8 + bytes.readUInt32LE(4);
  if (end > bytes.length) throw new RangeError("cut off");
  for (let offset = 12; offset < end; ) {
    const size = bytes.readUInt32LE(offset + 4);
    const next = offset + 8 + size + (size % 2);
    if (offset + 8 + size > end) throw new RangeError("cut off");
    const name = bytes.toString("latin1", offset, offset + 4);
    const chunk = Buffer.alloc(next - offset);
    bytes.copy(chunk, 0, offset, offset + 8 + size);
    // Nothing is left that the other flags (profile, EXIF, XMP) could announce.
    if (name === "VP8X") chunk.writeUInt8(chunk.readUInt8(8) & webpAlpha, 8);
    if (webpChunks.includes(name)) kept.push(chunk);
    offset = next;
  }
  const body = concat(...kept);
  const header = Buffer.from("RIFF    WEBP", "latin1");
  header.writeUInt32LE(4 + body.length, 4);
  return concat(header, body);
}
