import { encode } from "fast-png";
import { expect, it } from "vitest";
import { readPicture } from "./picture.js";

const png = (width: number) =>
  encode({ width, height: 3, channels: 1, depth: 8, data: new Uint8Array(width * 3) });

it("measures a picture by its own header, and refuses what the protocol does not carry", () => {
  const screenshot = { mime: "image/png", width: 1280, height: 3 };
  expect(readPicture(png(1280))?.screenshot).toMatchObject(screenshot);
  expect(readPicture(png(16_385))).toBeNull();
  expect(readPicture(new Uint8Array())).toBeNull();
  expect(readPicture(png(1280).subarray(0, 60))).toBeNull();
});
