import fc from "fast-check";
import { expect, test } from "vitest";
import { equalBytes, fromBase64url, fromUtf8, randomId, toBase64url } from "./bytes.js";

const invalid = expect.objectContaining({ code: "invalid_encoding" });

test("base64url gives back the bytes and agrees with another implementation", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const text = toBase64url(bytes);
      expect(text).toBe(Buffer.from(bytes).toString("base64url"));
      expect(equalBytes(fromBase64url(text), bytes)).toBe(true);
    }),
  );
});

test("of all spellings of up to three characters only the one that encoding gives is read", () => {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  let read = 0;
  for (const first of alphabet) {
    for (const last of alphabet) {
      for (const text of [first + last, `A${first}${last}`]) {
        const spelling = Buffer.from(text, "base64url").toString("base64url");
        if (spelling === text) {
          expect(toBase64url(fromBase64url(text))).toBe(text);
          read++;
        } else {
          expect(() => fromBase64url(text)).toThrow(invalid);
        }
      }
    }
  }
  expect(read).toBe(256 + 1024);
});

test.each(["QR", "QQ==", "Q Q", "QQ\n", "\nQQ", "Q", "QQQQQ", "Q+", "Q/", "QÀ", "QQ.", "=", " "])(
  "base64url refuses %j",
  (text) => {
    expect(() => fromBase64url(text)).toThrow(invalid);
  },
);

test.each([
  ["an overlong slash", [0xc0, 0xaf]],
  ["an overlong zero", [0xc0, 0x80]],
  ["a surrogate (CESU-8)", [0xed, 0xa0, 0x80]],
  ["a code point beyond Unicode", [0xf4, 0x90, 0x80, 0x80]],
  ["a lone continuation", [0x80]],
  ["a truncated sequence", [0xe2, 0x82]],
  ["Latin-1", [0xe9]],
])("UTF-8 refuses %s", (_name, bytes) => {
  expect(() => fromUtf8(Uint8Array.from(bytes))).toThrow(invalid);
});

test("UTF-8 keeps a byte order mark, so that two byte strings never read as one text", () => {
  expect(fromUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61))).toBe("\ufeffa");
});

test("bytes of another length or with one bit changed are not equal", () => {
  expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true);
  expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false);
  expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2, 0))).toBe(false);
});

test("an id never begins as an option does, and is 16 bytes", () => {
  const ids = Array.from({ length: 2_000 }, randomId);
  expect(ids.filter((id) => id.startsWith("-"))).toEqual([]);
  expect(ids.every((id) => fromBase64url(id).length === 16)).toBe(true);
  expect(new Set(ids).size).toBe(2_000);
});
