import { expect, test } from "vitest";
import { type Bytes, concat, utf8 } from "./bytes.js";
import { readPictureHeader } from "./picture.js";

const u32 = (value: number): Bytes => {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
};
const chunk = (type: string, data: Bytes): Bytes =>
  concat(u32(data.length), utf8(type), data, u32(0));
const signature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const header = chunk("IHDR", concat(u32(1280), u32(720), Uint8Array.of(8, 6, 0, 0, 0)));
const data = chunk("IDAT", new Uint8Array(3));

test("a PNG tells its size", () => {
  const png = concat(signature, header, chunk("tEXt", new Uint8Array(5)), data);
  expect(readPictureHeader(png)).toEqual({ mime: "image/png", width: 1280, height: 720 });
});

test("a JPEG tells the size of its frame, not of a thumbnail before it", () => {
  const thumbnail = concat(Uint8Array.of(0xff, 0xe1, 0, 9), new Uint8Array(7).fill(0xc0));
  const frame = Uint8Array.of(0xff, 0xc2, 0, 11, 8, 0x02, 0xd0, 0x05, 0x00, 1, 0, 0, 0);
  const jpeg = concat(Uint8Array.of(0xff, 0xd8), thumbnail, frame);
  expect(readPictureHeader(jpeg)).toEqual({ mime: "image/jpeg", width: 1280, height: 720 });
});

const webp = (format: string, body: readonly number[]): Bytes =>
  concat(utf8("RIFF"), u32(0), utf8(`WEBP${format}`), u32(0), Uint8Array.from(body));

test.each([
  ["VP8 ", [0, 0, 0, 0x9d, 0x01, 0x2a, 0x00, 0x05, 0xd0, 0x02]],
  ["VP8L", [0x2f, 0xff, 0xc4, 0xb3, 0x00]],
  ["VP8X", [0, 0, 0, 0, 0xff, 0x04, 0, 0xcf, 0x02, 0]],
])("a WebP of format %j tells its size", (format, body) => {
  const expected = { mime: "image/webp", width: 1280, height: 720 };
  expect(readPictureHeader(webp(format, body))).toEqual(expected);
});

test("a picture that moves is none", () => {
  const apng = concat(signature, header, chunk("acTL", new Uint8Array(8)), data);
  expect(readPictureHeader(apng)).toBeNull();
  expect(readPictureHeader(webp("VP8X", [2, 0, 0, 0, 0xff, 4, 0, 0xcf, 2, 0]))).toBeNull();
});

test.each([
  ["nothing", new Uint8Array(0)],
  ["a cut-off header", concat(signature, header)],
  ["SVG", utf8('<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>')],
  ["GIF", utf8("GIF89a, and some more octets behind it")],
  [
    "a JPEG without a frame",
    concat(Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, 4), new Uint8Array(9)),
  ],
])("%s is no picture", (_what, bytes) => {
  expect(readPictureHeader(bytes)).toBeNull();
});

const frame = (width: number, height: number): Bytes =>
  Uint8Array.of(
    ...[0xff, 0xc0, 0, 0x11, 8, height >> 8, height & 255, width >> 8, width & 255, 3],
    ...[1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1],
  );

test.each([0x00, 0x01, 0xd0, 0xd3, 0xd7, 0xd8, 0xd9, 0xda])(
  "a JPEG whose marker %i may hide another frame from us is no picture",
  (marker) => {
    const start = Uint8Array.of(0xff, 0xd8, 0xff, marker);
    // A decoder goes on behind the marker and finds the first frame; a reader that takes a length finds the second.
    const bytes = new Uint8Array(4 + 0xffc0 + 19);
    bytes.set(concat(start, frame(16_000, 2_000)));
    bytes.set(frame(100, 50), 4 + 0xffc0);
    expect(readPictureHeader(bytes)).toBeNull();
  },
);

test.each([0, 1])("a JPEG segment of length %i is none", (length) => {
  const segment = Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 0, length);
  expect(readPictureHeader(concat(segment, frame(100, 50)))).toBeNull();
  expect(readPictureHeader(concat(segment, new Uint8Array(1), frame(100, 50)))).toBeNull();
});

test("a picture that would fill a phone's memory is none, however few octets it has", () => {
  const pngOf = (width: number, height: number) => {
    const size = concat(u32(width), u32(height), Uint8Array.of(8, 6, 0, 0, 0));
    return readPictureHeader(concat(signature, chunk("IHDR", size), data));
  };
  expect(pngOf(8_000, 5_000)).toMatchObject({ width: 8_000 });
  expect(pngOf(8_000, 5_001)).toBeNull();
  expect(pngOf(16_385, 1)).toBeNull();
  expect(pngOf(0, 1)).toBeNull();
  expect(readPictureHeader(concat(Uint8Array.of(0xff, 0xd8), frame(16_000, 16_000)))).toBeNull();
});
