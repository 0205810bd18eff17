import encodeQr from "qr";
import { expect, test } from "vitest";
import { readPixels } from "./decode.js";

const link = `https://countersign.example/pair#1.${"A".repeat(43)}.${"B".repeat(43)}`;

/** A code as a camera might see it: magnified, on a grey ground, light and dark as given. */
function photograph(text: string, light: number, dark: number, scale: number) {
  const cells = encodeQr(text, "raw", { border: 4, ecc: "medium" });
  const side = cells.length * scale + 60;
  const data = new Uint8ClampedArray(side * side * 4).fill(light);
  cells.forEach((row, y) => {
    row.forEach((isDark, x) => {
      if (!isDark) return;
      for (let line = 0; line < scale; line++) {
        const start = ((y * scale + line + 30) * side + x * scale + 30) * 4;
        for (let pixel = 0; pixel < scale; pixel++) {
          data.fill(dark, start + pixel * 4, start + pixel * 4 + 3);
        }
      }
    });
  });
  return { width: side, height: side, data };
}

test("a pairing link is read off a screen, bright or dull", () => {
  expect(readPixels(photograph(link, 255, 0, 5))).toBe(link);
  expect(readPixels(photograph(link, 170, 60, 7))).toBe(link);
});

test("a picture without a code reads as nothing", () => {
  const data = new Uint8ClampedArray(200 * 200 * 4).fill(128);
  expect(readPixels({ width: 200, height: 200, data })).toBeNull();
});
