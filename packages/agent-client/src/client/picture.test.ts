import { expect, it } from "vitest";
import { readPicture } from "./picture.js";

const png = (width: string) =>
  new Uint8Array(
    Buffer.from(
      `89504e470d0a1a0a0000000d49484452${width}000002d0080600000000000000000000004944415400000000`,
      "hex",
    ),
  );

it("measures a picture by its own header, and refuses a size that the protocol does not carry", () => {
  const screenshot = { mime: "image/png", width: 1280, height: 720 };
  expect(readPicture(png("00000500"))?.screenshot).toMatchObject(screenshot);
  expect(readPicture(png("00000000"))).toBeNull();
  expect(readPicture(png("00004001"))).toBeNull();
  expect(readPicture(new Uint8Array())).toBeNull();
});
