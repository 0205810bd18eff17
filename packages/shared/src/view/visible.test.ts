import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { lastCodePoint, readBack } from "./fixture.js";
import { quote } from "./quote.js";
import { countMarks, isHidden, visible } from "./visible.js";

/** Independent of the baked-in table: the running engine's own properties. */
const mustBeMarked =
  /^[\p{Cc}\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Variation_Selector}\p{Noncharacter_Code_Point}\u{E0000}-\u{E0FFF}\u2800]$/u;
const unassigned = /^\p{Cn}$/u;
const engineUnicode = Number.parseFloat(process.versions["unicode"] ?? "0");
const tableUnicode = 17;

test("every code point that a screen hides, reorders or swallows is marked", () => {
  const unmarked: string[] = [];
  for (let codePoint = 0; codePoint <= lastCodePoint; codePoint++) {
    const character = String.fromCodePoint(codePoint);
    // An engine of another Unicode version knows other code points as unassigned than the table does.
    const hidden =
      mustBeMarked.test(character) ||
      (engineUnicode === tableUnicode && unassigned.test(character));
    if (!hidden || character === "\n") continue;
    const mark = `⟦U+${codePoint.toString(16).toUpperCase().padStart(4, "0")}⟧`;
    if (visible(`a${character}b`) !== `a${mark}b`) unmarked.push(codePoint.toString(16));
  }
  expect(unmarked).toEqual([]);
});

test("every letter, digit and sign that a screen shows stands as it is", () => {
  for (const text of [
    "AZaz09",
    "äßé",
    "Ελληνικά",
    "русский",
    "中文",
    "العربية",
    "हिन्दी",
    "😀",
    "~!@#$%^&*()",
  ]) {
    expect(visible(text)).toBe(text);
  }
});

describe("what attacks approvals in practice is seen", () => {
  test.each([
    ["bidi override", "invoice\u202efdp.exe", "invoice⟦U+202E⟧fdp.exe"],
    ["bidi isolate", "a\u2066b\u2069", "a⟦U+2066⟧b⟦U+2069⟧"],
    ["zero width space", "pay\u200bpal", "pay⟦U+200B⟧pal"],
    ["zero width joiner", "a\u200db", "a⟦U+200D⟧b"],
    ["tag characters", "ok\u{e0061}", "ok⟦U+E0061⟧"],
    ["variation selector", "a\ufe0f", "a⟦U+FE0F⟧"],
    ["supplementary variation selector", "a\u{e0100}", "a⟦U+E0100⟧"],
    ["hangul filler", "a\u3164", "a⟦U+3164⟧"],
    ["braille blank", "a\u2800b", "a⟦U+2800⟧b"],
    ["soft hyphen", "a\u00adb", "a⟦U+00AD⟧b"],
    ["no-break space", "a\u00a0b", "a⟦U+00A0⟧b"],
    ["byte order mark", "\ufeffa", "⟦U+FEFF⟧a"],
    ["backspace", "rm\bls", "rm⟦U+0008⟧ls"],
    ["escape", "\u001b[2K", "⟦U+001B⟧[2K"],
    ["carriage return", "safe\rrm", "safe⟦U+000D⟧rm"],
    ["tab", "a\tb", "a⟦U+0009⟧b"],
    ["line separator", "a\u2028b", "a⟦U+2028⟧b"],
    ["line break", "a\nb", "a⏎\nb"],
    ["private use", "\ue000", "⟦U+E000⟧"],
    ["a lone surrogate", "\ud800", "⟦U+D800⟧"],
    ["a forged mark", "⟦2 spaces⟧", "⟦U+27E6⟧2 spaces⟦U+27E7⟧"],
    ["a forged line break", "a⏎", "a⟦U+23CE⟧"],
    ["a run of spaces that pushes text away", `a${" ".repeat(500)}b`, "a⟦500 spaces⟧b"],
    ["a space at the start", " a", "⟦1 space⟧a"],
    ["a space at the end", "a ", "a⟦1 space⟧"],
    ["only spaces", "  ", "⟦2 spaces⟧"],
    ["one space between words", "a b", "a b"],
    [
      "a pile of marks on one letter",
      `a${"\u0301".repeat(6)}b`,
      "a\u0301\u0301\u0301\u0301⟦U+0301⟧⟦U+0301⟧b",
    ],
    ["marks of a letter and of the next", "e\u0301e\u0301", "e\u0301e\u0301"],
    ["a mark on nothing", "\u0301a", "⟦U+0301⟧a"],
    ["a mark on a space", "a \u0338b", "a ⟦U+0338⟧b"],
    ["a mark on a line break", "a\n\u0338b", "a⏎\n⟦U+0338⟧b"],
    ["a mark on one of our marks", "a\u200b\u0338b", "a⟦U+200B⟧⟦U+0338⟧b"],
    ["a forged quotation", "a⟫. Harmless. ⟪b", "a⟦U+27EB⟧. Harmless. ⟦U+27EA⟧b"],
  ])("%s", (_name, text, shown) => {
    expect(visible(text)).toBe(shown);
  });
});

const nasty = [
  " ",
  "\n",
  "\r",
  "⏎",
  "⟦",
  "⟧",
  "\u200b",
  "a",
  "1",
  "s",
  "⟦1 space⟧",
  "⟦U+200B⟧",
  "\u0301",
  "⟪",
  "\ud83d",
  "\ude00",
];

test("two texts never look alike: every text of up to four nasty pieces has a look of its own", () => {
  const looks = new Map<string, string>();
  const collisions: [string, string][] = [];
  const visit = (text: string, pieces: number) => {
    const look = visible(text);
    const seen = looks.get(look);
    if (seen !== undefined && seen !== text) collisions.push([seen, text]);
    looks.set(look, text);
    if (pieces < 4) for (const piece of nasty) visit(text + piece, pieces + 1);
  };
  visit("", 0);
  expect(collisions).toEqual([]);
});

const anyText = fc.oneof(
  fc.string({ unit: fc.constantFrom(...nasty) }),
  fc.string({ unit: "binary" }),
  fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)) }),
);

test("nothing that is shown hides anything but line breaks", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      for (const character of visible(text)) {
        expect(character === "\n" || !isHidden(character.codePointAt(0) ?? 0)).toBe(true);
      }
    }),
  );
});

test("what is shown can be read back, to the letter", () => {
  fc.assert(
    fc.property(anyText, (text) => {
      expect(readBack(visible(text))).toBe(text);
    }),
    { numRuns: 1_000 },
  );
});

test("a quotation is short, and says how much it leaves out", () => {
  expect(quote("a".repeat(1000))).toBe(`⟪${"a".repeat(80)}⟦880 characters⟧${"a".repeat(40)}⟫`);
  expect(quote("⟦880 characters⟧")).toBe("⟪⟦U+27E6⟧880 characters⟦U+27E7⟧⟫");
});

test("a quotation is whole unless leaving out takes more away than it adds", () => {
  expect(quote("a".repeat(160))).toBe(`⟪${"a".repeat(160)}⟫`);
  expect(quote("a".repeat(161))).toBe(`⟪${"a".repeat(80)}⟦41 characters⟧${"a".repeat(40)}⟫`);
  const faces = "😀".repeat(161);
  expect(quote(faces)).toBe(`⟪${"😀".repeat(80)}⟦41 characters⟧${"😀".repeat(40)}⟫`);
});

test.each([
  ["in the middle", "ab SECRET cd", 3, "ab ⟦told⟧ cd"],
  ["at the start", "SECRET cd", 0, "⟦told⟧ cd"],
  ["at the end", "ab SECRET", 3, "ab ⟦told⟧"],
  ["after a character of two units", "😀SECRET😀", 2, "😀⟦told⟧😀"],
  ["after spaces that are counted", "a  SECRET", 3, "a⟦2 spaces⟧⟦told⟧"],
  ["before spaces that are counted", "SECRET  a", 0, "⟦told⟧⟦2 spaces⟧a"],
  ["before a mark that would stand on it", "SECRET\u0301", 0, "⟦told⟧⟦U+0301⟧"],
])(
  "what is masked is told in its place, and nothing beside it: %s",
  (_where, text, start, shown) => {
    expect(visible(text, [{ start, length: "SECRET".length, text: "told" }])).toBe(shown);
  },
);

test("what is masked twice is told twice, in order", () => {
  const masks = [
    { start: 0, length: 2, text: "one" },
    { start: 2, length: 3, text: "two" },
    { start: 6, length: 1, text: "three" },
  ];
  expect(visible("aabbb c d", masks)).toBe("⟦one⟧⟦two⟧ ⟦three⟧ d");
});

test.each([
  [" ", "⟦1 space⟧"],
  [" a", "⟦1 space⟧a"],
  ["a ", "a⟦1 space⟧"],
  ["a b", "a b"],
  ["a  b", "a⟦2 spaces⟧b"],
  ["   a   b   ", "⟦3 spaces⟧a⟦3 spaces⟧b⟦3 spaces⟧"],
  ["a \n b", "a ⏎\n b"],
])("spaces that nobody would see are counted: %j", (text, shown) => {
  expect(visible(text)).toBe(shown);
});

test("the marks that are counted are those of characters", () => {
  expect(countMarks(visible("a\u200b\u202e  b\n"))).toBe(2);
  expect(countMarks(visible("plain text"))).toBe(0);
});
