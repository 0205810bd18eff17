import type { DecodedPng } from "fast-png";

/**
 * What `xwd` writes: a header of 32-bit numbers, colours that a screen of today has none of, and rows of pixels.
 * @returns undefined for anything but 32 bits a pixel with blue first, as X servers have it
 * @see XWDFile.h of X11, version 7
 */
export function readXwd(file: Buffer): DecodedPng | undefined {
  if (file.length < 100) return undefined;
  const at = (index: number): number => file.readUInt32BE(index * 4);
  const [headerSize, version, format] = [at(0), at(1), at(2)];
  const [width, height, byteOrder] = [at(4), at(5), at(7)];
  const [bitsPerPixel, bytesPerLine, red, green, blue, colours] = [11, 12, 14, 15, 16, 19].map(at);
  const isUsual =
    version === 7 &&
    format === 2 &&
    byteOrder === 0 &&
    bitsPerPixel === 32 &&
    red === 0xff0000 &&
    green === 0xff00 &&
    blue === 0xff;
  const start = headerSize + (colours ?? 0) * 12;
  const stride = bytesPerLine ?? 0;
  if (!isUsual || stride < width * 4 || file.length < start + stride * height) return undefined;
  const data = new Uint8Array(width * height * 3);
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0, from = start + y * stride; x < width; x++, from += 4, to += 3) {
      data[to] = file[from + 2] as number;
      data[to + 1] = file[from + 1] as number;
      data[to + 2] = file[from] as number;
    }
  }
  return { width, height, data, depth: 8, channels: 3, text: {} };
}
