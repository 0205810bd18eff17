import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fromUtf8, utf8 } from "./bytes.js";
import { ProtocolError } from "./errors.js";
import { flipByte, publishedVectors } from "./fixture.js";
import {
  assertJson,
  canonicalBytes,
  type Json,
  maxDepth,
  parseCanonical,
  parseStrict,
} from "./json.js";

const refused = (code: string) => expect.objectContaining({ name: "ProtocolError", code });
const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);

const isAllowed = (value: unknown): boolean => {
  try {
    assertJson(value);
    return true;
  } catch {
    return false;
  }
};
const arbitraryJson = fc
  .oneof(fc.jsonValue(), fc.jsonValue({ stringUnit: "binary" }))
  .filter(isAllowed) as fc.Arbitrary<Json>;

const jcs = publishedVectors("jcs");
describe.skipIf(jcs.absent)("RFC 8785 as its author tests it", () => {
  const files = jcs.absent ? [] : readdirSync(new URL("input/", jcs.url));
  test("all six files are there", () => expect(files).toHaveLength(6));
  test.each(files)("%s", (file) => {
    const input = JSON.parse(readFileSync(new URL(`input/${file}`, jcs.url), "utf8"));
    const output = readFileSync(new URL(`output/${file}`, jcs.url));
    expect(Buffer.from(canonicalBytes(input)).equals(output)).toBe(true);
  });
});

describe("what was hashed or signed", () => {
  test("reads back as the value that was written", () => {
    fc.assert(
      fc.property(arbitraryJson, (value) => {
        expect(parseCanonical(canonicalBytes(value))).toStrictEqual(structuredClone(value));
      }),
    );
  });

  test("with any byte changed is refused or is another value", () => {
    fc.assert(
      fc.property(arbitraryJson, fc.nat(), fc.integer({ min: 1, max: 255 }), (value, at, mask) => {
        const bytes = canonicalBytes(value);
        const changed = flipByte(bytes, at % bytes.length, mask);
        try {
          const other = parseCanonical(changed);
          expect(other).not.toStrictEqual(structuredClone(value));
          expect(canonicalBytes(other)).toEqual(changed);
        } catch (error) {
          if (!(error instanceof ProtocolError)) throw error;
        }
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    ["members out of order", '{"b":1,"a":2}'],
    ["order by code point instead of UTF-16 unit", '{"\uffee":1,"😀":2}'],
    ["white space", '{"a": 1}'],
    ["a line end", '{"a":1}\n'],
    ["an escape that need not be", '{"\\u0061":1}'],
    ["an escaped slash", '"\\/"'],
    ["an upper-case escape", '"\\u001F"'],
    ["a long escape", '"\\u000a"'],
    ["a fraction of zero", "1.0"],
    ["an exponent", "1e2"],
    ["an upper-case exponent", "1E+21"],
    ["zero with an exponent", "0e5"],
  ])("in another form is refused: %s", (_name, text) => {
    expect(() => parseCanonical(utf8(text))).toThrow(refused("not_canonical"));
    expect(() => parseStrict(utf8(text))).not.toThrow();
  });
});

describe("strict JSON refuses", () => {
  test.each([
    ["a duplicate member", '{"a":1,"a":1}', "invalid_json"],
    ["an escaped duplicate", '{"a":1,"\\u0061":2}', "invalid_json"],
    ["a duplicate with space before the colon", '{"a":1,"a" :2}', "invalid_json"],
    ["a deep duplicate", '[{"x":{"a":1,"b":[{}],"a":2}}]', "invalid_json"],
    [
      "a duplicate after a string that holds quotes and braces",
      '{"a":"\\"}{","a":1}',
      "invalid_json",
    ],
    ["an empty duplicate", '{"":1,"":2}', "invalid_json"],
    ["__proto__", '{"__proto__":{"v":1}}', "forbidden_member"],
    ["escaped __proto__", '{"__\\u0070roto__":1}', "forbidden_member"],
    ["nested __proto__", '{"a":[{"__proto__":1}]}', "forbidden_member"],
    ["a lone high surrogate", '"\\ud800"', "invalid_json"],
    ["a lone low surrogate", '"\\udc00"', "invalid_json"],
    ["surrogates the wrong way round", '"\\udc00\\ud800"', "invalid_json"],
    ["a lone surrogate as a member", '{"\\ud800":1}', "invalid_json"],
    ["an integer beyond 2^53", "9007199254740993", "number_not_exact"],
    ["a hidden inexact integer", '{"a":[1,{"b":9007199254740993}]}', "number_not_exact"],
    ["too many digits", "0.1000000000000000055511151231257827", "number_not_exact"],
    ["-0", "-0", "number_not_exact"],
    ["-0.0", "[-0.0]", "number_not_exact"],
    ["-0e1", "[-0e1]", "number_not_exact"],
    ["a number beyond double", "1e400", "number_not_exact"],
    ["a number that becomes zero", "1e-400", "number_not_exact"],
    ["an array nested too deep", nested(maxDepth + 1), "too_deep"],
    ["depth beyond any parser's stack", "[".repeat(1_000_000), "too_deep"],
    ["a comment", "[1/**/]", "invalid_json"],
    ["a trailing comma", "[1,]", "invalid_json"],
    ["a leading zero", "01", "invalid_json"],
    ["a plus sign", "+1", "invalid_json"],
    ["NaN", "NaN", "invalid_json"],
    ["a byte order mark", "\ufeff{}", "invalid_json"],
    ["an open string", '"a', "invalid_json"],
    ["a control character in a string", '"\n"', "invalid_json"],
    ["two values", "1 2", "invalid_json"],
    ["nothing", "", "invalid_json"],
  ])("%s", (_name, text, code) => {
    expect(() => parseStrict(utf8(text))).toThrow(refused(code));
    expect(() => parseCanonical(utf8(text))).toThrow(refused(code));
  });

  test("bytes that are no UTF-8", () => {
    expect(() => parseStrict(Uint8Array.of(0x22, 0xff, 0x22))).toThrow(refused("invalid_encoding"));
  });
});

test("the same member in sibling objects, and as a value, is no duplicate", () => {
  const text = '[{"a":"a"},{"a":["a","a"]}]';
  expect(parseCanonical(utf8(text))).toEqual(JSON.parse(text));
});

test("quotes, braces and backslashes inside strings are text", () => {
  for (const text of ['["\\"","}{][:,"]', '{"\\\\":"\\\\\\"","\\"a":1}']) {
    expect(parseStrict(utf8(text))).toEqual(JSON.parse(text));
  }
  expect(() => parseStrict(utf8('{"\\"":1,"a":2,"\\"":3}'))).toThrow(refused("invalid_json"));
});

test("the deepest nesting that is allowed is read and written", () => {
  const text = nested(maxDepth);
  expect(fromUtf8(canonicalBytes(parseCanonical(utf8(text))))).toBe(text);
  expect(() => canonicalBytes([parseCanonical(utf8(text))])).toThrow(refused("too_deep"));
});

test("a hostile number of a megabyte takes no more time than its length", () => {
  const literal = `0.1${"0".repeat(1_000_000)}1`;
  const start = performance.now();
  expect(() => parseStrict(utf8(literal))).toThrow(refused("number_not_exact"));
  expect(performance.now() - start).toBeLessThan(2_000);
});

describe("nothing is coerced into JSON", () => {
  const inherited = Object.create({ toJSON: () => ({}) }) as object;
  test.each([
    ["undefined", undefined, "invalid_json"],
    ["an undefined member", { a: undefined }, "invalid_json"],
    ["a hole in an array", new Array(1), "invalid_json"],
    ["a Date", new Date(0), "invalid_json"],
    ["a Map", new Map(), "invalid_json"],
    ["a boxed string", Object("a"), "invalid_json"],
    ["bytes", Uint8Array.of(1), "invalid_json"],
    ["a bigint", 1n, "invalid_json"],
    ["a function", () => 1, "invalid_json"],
    ["a symbol member", { [Symbol("a")]: 1 }, "invalid_json"],
    ["toJSON", { toJSON: () => ({ other: 1 }) }, "invalid_json"],
    ["toJSON on an array", Object.assign([1], { toJSON: () => [2] }), "invalid_json"],
    [
      "toJSON that is not enumerable",
      Object.defineProperty({ a: 1 }, "toJSON", { value: () => ({}) }),
      "invalid_json",
    ],
    ["an inherited toJSON", inherited, "invalid_json"],
    ["NaN", Number.NaN, "number_not_exact"],
    ["Infinity", [Number.POSITIVE_INFINITY], "number_not_exact"],
    ["-0", { a: -0 }, "number_not_exact"],
    ["an own __proto__", JSON.parse('{"__proto__":1}'), "forbidden_member"],
    ["a lone surrogate", ["\ud800"], "invalid_json"],
  ])("%s is refused", (_name, value, code) => {
    expect(() => canonicalBytes(value)).toThrow(refused(code));
  });

  test("a cycle is refused as depth", () => {
    const cycle: unknown[] = [];
    cycle.push(cycle);
    expect(() => canonicalBytes(cycle)).toThrow(refused("too_deep"));
  });

  test("a member called toJSON that is data is data", () => {
    expect(fromUtf8(canonicalBytes({ toJSON: 1 }))).toBe('{"toJSON":1}');
  });
});
