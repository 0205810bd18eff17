import { launchChromium } from "@countersign/test-kit/chromium";
import { decode, encode } from "fast-png";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { redactPicture } from "./redact.js";
import { withoutMetadata } from "./without-metadata.js";

let browser: Browser;
let page: Page;
beforeAll(async () => {
  browser = await launchChromium();
  page = await browser.newPage({ viewport: { width: 200, height: 120 } });
  await page.setContent("<h1 style='background: linear-gradient(90deg, red, blue)'>Hello</h1>");
});
afterAll(() => browser?.close());

const word = "HOME-ADDRESS";
const holds = (bytes: Uint8Array | null): boolean => Buffer.from(bytes ?? []).includes(word);

/** What a real decoder makes of a picture. */
async function pixels(bytes: Uint8Array, type: string): Promise<string> {
  return page.evaluate(
    async ({ base64, type: mime }) => {
      const octets = Uint8Array.from(atob(base64), (one) => one.charCodeAt(0));
      const bitmap = await createImageBitmap(new Blob([octets], { type: mime }));
      const canvas = document.createElement("canvas");
      Object.assign(canvas, { width: bitmap.width, height: bitmap.height });
      canvas.getContext("2d")?.drawImage(bitmap, 0, 0);
      return canvas.toDataURL();
    },
    { base64: Buffer.from(bytes).toString("base64"), type },
  );
}

const webp = async (): Promise<Buffer> => {
  const png = await page.screenshot();
  const url = await page.evaluate(async (base64) => {
    const octets = Uint8Array.from(atob(base64), (one) => one.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([octets]));
    const canvas = document.createElement("canvas");
    Object.assign(canvas, { width: bitmap.width, height: bitmap.height });
    canvas.getContext("2d")?.drawImage(bitmap, 0, 0);
    return canvas.toDataURL("image/webp");
  }, png.toString("base64"));
  return Buffer.from(url.slice(url.indexOf(",") + 1), "base64");
};

describe("what is written beside a picture stays here", () => {
  it("in a PNG, also behind its end", async () => {
    const png = await page.screenshot();
    const { width, height, data, channels } = decode(png);
    const talking = encode({ width, height, data, channels, text: { Comment: word } });
    expect(holds(talking)).toBe(true);
    const bytes = withoutMetadata(Buffer.concat([talking, Buffer.from(word)]));
    expect(holds(bytes)).toBe(false);
    expect(await pixels(bytes ?? png, "image/png")).toBe(await pixels(png, "image/png"));
  });

  it("in a JPEG, in every segment of an application, in a comment and behind its end", async () => {
    const jpeg = await page.screenshot({ type: "jpeg" });
    const segment = (marker: number): Buffer => {
      const body = Buffer.from(`Exif\0\0${word}`);
      return Buffer.concat([Buffer.from([0xff, marker, 0, body.length + 2]), body]);
    };
    const talking = Buffer.concat([
      jpeg.subarray(0, 2),
      ...[0xe0, 0xe1, 0xe2, 0xed, 0xef, 0xfe].map(segment),
      jpeg.subarray(2),
      Buffer.from(word),
    ]);
    const bytes = withoutMetadata(talking);
    expect(holds(talking)).toBe(true);
    expect(holds(bytes)).toBe(false);
    expect(await pixels(bytes ?? jpeg, "image/jpeg")).toBe(await pixels(jpeg, "image/jpeg"));
    expect(withoutMetadata(jpeg.subarray(0, -2))).toBeNull();
  });

  it("in a WebP, in chunks of every name but the picture's, and behind its end", async () => {
    const plain = await webp();
    const chunk = (name: string): Buffer => {
      const size = Buffer.alloc(4);
      size.writeUInt32LE(word.length);
      return Buffer.concat([Buffer.from(name), size, Buffer.from(word)]);
    };
    const chunks = Buffer.concat([plain.subarray(12), ...["EXIF", "XMP ", "ZZZZ"].map(chunk)]);
    const talking = Buffer.concat([plain.subarray(0, 12), chunks, Buffer.from(word)]);
    talking.writeUInt32LE(4 + chunks.length, 4);
    const bytes = withoutMetadata(talking);
    expect(holds(talking)).toBe(true);
    expect(holds(bytes)).toBe(false);
    expect(await pixels(bytes ?? plain, "image/webp")).toBe(await pixels(plain, "image/webp"));
    expect(withoutMetadata(plain.subarray(0, -9))).toBeNull();
  });
});

describe("a region that is redacted", () => {
  it("is one colour in the pixels, and everything else is as it was", async () => {
    const png = await page.screenshot();
    const region = { x: 10, y: 20, width: 50, height: 30 };
    const [before, after] = [decode(png), decode(redactPicture(png, [region]))];
    const { width, channels } = before;
    const expected = before.data.map((sample, index) => {
      const pixel = Math.floor(index / channels);
      const [x, y] = [pixel % width, Math.floor(pixel / width)];
      if (x < 10 || x >= 60 || y < 20 || y >= 50) return sample;
      return index % channels === 3 ? 255 : 0;
    });
    expect(Buffer.from(after.data).equals(Buffer.from(expected))).toBe(true);
  });

  it("may reach over the edge", async () => {
    const png = await page.screenshot();
    const whole = { x: 0, y: 0, width: 100_000, height: 100_000 };
    expect([...decode(redactPicture(png, [whole])).data].every((one) => one % 255 === 0)).toBe(
      true,
    );
  });

  it("is of a picture that can be decoded, or there is no picture", async () => {
    const jpeg = await page.screenshot({ type: "jpeg" });
    for (const bytes of [jpeg, new Uint8Array(), Buffer.from("GIF89a")]) {
      expect(() => redactPicture(bytes, [])).toThrow(TypeError);
    }
  });
});
