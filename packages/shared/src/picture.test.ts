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
