import { describe, expect, test } from "vitest";
import { readHost } from "./host.js";

const clear = { letters: undefined, warnings: [] };
const bare = {
  letters: undefined,
  domain: undefined,
  warnings: ["A bare address in place of a name"],
};
const unknown = (warning: string) => ({
  ascii: undefined,
  letters: undefined,
  domain: undefined,
  warnings: [warning],
});
const differs = unknown("Not a host that every program reads alike");
const number = unknown("A number in place of a host: programs turn it into an address");
const percent = unknown("Percent signs in the host: programs replace them");
const folded = "Letters in the host that programs replace by others: where it leads cannot be told";

const label = (length: number): string => "a".repeat(length);
/** A host of this many characters, of labels that are each short enough. */
const long = (length: number): string => `${`${`${label(49)}.`.repeat(10)}`.slice(-length + 2)}aa`;

describe("a name leads to one host, in lower case and punycode, or nobody can tell", () => {
  test.each([
    ["a.example", "a.example", "a.example"],
    ["A.EXAMPLE", "a.example", "a.example"],
    ["a.example.", "a.example.", "a.example"],
    ["a_b-c.x--y.example", "a_b-c.x--y.example", "x--y.example"],
    ["_a.b_.example", "_a.b_.example", "b_.example"],
    ["1.a.example", "1.a.example", "a.example"],
    ["a1.0x1.b1", "a1.0x1.b1", "0x1.b1"],
    ["0xg", "0xg", undefined],
    ["a.x0x1", "a.x0x1", "a.x0x1"],
    ["a", "a", undefined],
    [`${label(63)}.example`, `${label(63)}.example`, `${label(63)}.example`],
    [`a.${label(63)}`, `a.${label(63)}`, `a.${label(63)}`],
    [`a.${label(63)}.`, `a.${label(63)}.`, `a.${label(63)}`],
  ])("%s", (text, ascii, domain) => {
    expect(readHost(text)).toEqual({ ...clear, written: text.toLowerCase(), ascii, domain });
  });

  test("of 254 characters at most", () => {
    expect(long(254)).toHaveLength(254);
    expect(readHost(long(254)).ascii).toBe(long(254));
    expect(readHost(long(255))).toMatchObject(differs);
  });

  test.each([
    "",
    ".",
    "-a.example",
    "a-.example",
    "a.-b",
    "a.b-",
    "a..example",
    ".example",
    "a.example..",
    "a!.example",
    "a.b!",
    "a b",
    "[::1",
    "[::1]x",
    "x[::1]",
    "[::g]",
    "[]",
    `${label(64)}.example`,
    `a.${label(64)}`,
    "a\u0378.example",
    `${label(11_000)}\u{31350}`,
  ])("not by %j", (text) => {
    expect(readHost(text)).toMatchObject(differs);
  });

  test.each([
    "1",
    "127.1",
    "1.2.3",
    "1.2.3.4.5",
    "01.2.3.4",
    "1.2.3.256",
    "256.2.3.4",
    "1.2.3.1000",
    "1.2.3.4.",
    "00.0.0.0",
    "a.1",
    "a.12.",
    "a.0x",
    "a.0x7f",
    "0xff.",
    "x1.2.3.4",
    "2130706433",
  ])("not by a number: %s", (text) => {
    expect(readHost(text)).toMatchObject(number);
  });

  test.each(["%", "a%2eb.example"])("not with percent signs: %s", (text) => {
    expect(readHost(text)).toMatchObject(percent);
  });

  test("not with letters that programs replace, and what they look like is said too", () => {
    expect(readHost("a\u00adb.example")).toMatchObject(unknown(folded));
    expect(readHost("аре１.example")).toMatchObject({
      ascii: undefined,
      warnings: [folded, expect.stringContaining("reads like ⟪ape1⟫")],
    });
  });
});

test.each(["0.0.0.0", "127.0.0.1", "255.255.255.255", "192.0.2.10", "[::1]", "[::FFFF:1.2.3.4]"])(
  "a bare address is one, and said to be: %s",
  (text) => {
    const written = text.toLowerCase();
    expect(readHost(text)).toEqual({ ...bare, written, ascii: written });
  },
);

describe("letters are told beside punycode", () => {
  test.each([
    ["bücher.example", "xn--bcher-kva.example", undefined],
    ["bücher.example.", "xn--bcher-kva.example.", undefined],
    ["xn--bcher-kva.example", "xn--bcher-kva.example", "bücher.example"],
    ["XN--BCHER-KVA.example.", "xn--bcher-kva.example.", "bücher.example"],
    ["a.xn--bcher-kva", "a.xn--bcher-kva", "a.bücher"],
    ["a.xn--bcher-kva.bücher", "a.xn--bcher-kva.xn--bcher-kva", "a.bücher.bücher"],
    // None in it, none that can be read, none that leads there, none that can be seen.
    ["axn--bcher-kva.example", "axn--bcher-kva.example", undefined],
    ["xn--a.example", "xn--a.example", undefined],
    ["xn--99999999999.example", "xn--99999999999.example", undefined],
    ["xn--abc-.example", undefined, undefined],
    ["xn--ab-r13a.example", "xn--ab-r13a.example", undefined],
    ["xn--0a.example", "xn--0a.example", undefined],
    ["xn--ab-m1t.example", "xn--ab-m1t.example", undefined],
  ])("%s", (text, ascii, letters) => {
    expect(readHost(text)).toMatchObject({ ascii, letters });
  });

  test("and what they look like is said, however they were written", () => {
    const warnings = [expect.stringContaining("reads like ⟪appie⟫")];
    expect(readHost("xn--80ak6aa92e.com").warnings).toEqual(warnings);
    expect(readHost("аррӏе.com").warnings).toEqual([expect.stringContaining("reads like")]);
    expect(readHost("xn--a.example").warnings).toEqual([]);
  });
});
