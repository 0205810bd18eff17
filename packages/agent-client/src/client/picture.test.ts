import { describe, expect, it } from "vitest";
import { readPicture } from "./picture.js";

const hex = (text: string) => new Uint8Array(Buffer.from(text.replaceAll(" ", ""), "hex"));
const png = "89504e470d0a1a0a 0000000d 49484452 00000500 000002d0 08060000 00";
const jpeg = "ffd8 ffe0 0004 0000 ffc0 0011 08 02d0 0500 03 012200 021101 031101";
const webp = (chunk: string) => `52494646 24000000 57454250 ${chunk}`;

describe("a picture", () => {
  it("is measured by its own header", () => {
    const size = { width: 1280, height: 720 };
    const pictures = {
      [png]: { mime: "image/png", ...size },
      [jpeg]: { mime: "image/jpeg", ...size },
      [webp("56503820 18000000 000000 9d012a 0005 d002 0000")]: { mime: "image/webp", ...size },
      [webp("5650384c 0d000000 2f ffc4b300 0000000000")]: { mime: "image/webp", ...size },
      [webp("56503858 0a000000 00000000 ff0400 cf0200")]: { mime: "image/webp", ...size },
    };
    for (const [octets, expected] of Object.entries(pictures)) {
      expect(readPicture(hex(octets))?.screenshot).toMatchObject(expected);
    }
  });

  it("is nothing when it is cut short, of another type, or of no size", () => {
    const none = png.replace("00000500", "00000000");
    for (const octets of [png.slice(0, 40), "", "47494638396100050002", jpeg.slice(0, 22), none]) {
      expect(readPicture(hex(octets))).toBeNull();
    }
  });
});
