import canonicalize from "canonicalize";
import { type Bytes, equalBytes, fromUtf8, utf8 } from "./bytes.js";
import { ProtocolError } from "./errors.js";

export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [member: string]: Json };

/** Nesting allowed anywhere in the protocol (section 2). */
export const maxDepth = 32;

/** With the u flag a pair is one character, so this matches only half of one. */
const loneSurrogate = /[\uD800-\uDFFF]/u;

/**
 * Strict JSON: well-formed UTF-8, no duplicate members, no lone surrogates, no `__proto__`,
 * at most 32 levels. For JSON that keeps another standard's rules (JOSE, clientDataJSON).
 * `JSON.parse` alone keeps the last of two duplicates and so reads another text than was signed.
 * @throws ProtocolError `invalid_encoding`, `invalid_json`, `too_deep`, `forbidden_member`, `number_not_exact`
 */
export function parseStrict(bytes: Uint8Array): Json {
  const text = fromUtf8(bytes);
  scan(text);
  let value: Json;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new ProtocolError("invalid_json", { cause });
  }
  assertJson(value);
  return value;
}

/**
 * Parses bytes that were hashed or signed: strict, and byte for byte the canonical form.
 * @throws ProtocolError as {@link parseStrict}, and `not_canonical`
 * @see RFC 8785
 */
export function parseCanonical(bytes: Uint8Array): Json {
  const value = parseStrict(bytes);
  if (!equalBytes(encode(value), bytes)) throw new ProtocolError("not_canonical");
  return value;
}

/**
 * RFC 8785 bytes of a plain JSON value. Dates, undefined, `toJSON` and the like are refused, not coerced.
 * @throws ProtocolError `invalid_json`, `number_not_exact`, `too_deep`, `forbidden_member`
 */
export function canonicalBytes(value: unknown): Bytes {
  assertJson(value);
  return encode(value);
}

const encode = (value: Json): Bytes => utf8(canonicalize(value) as string);

/**
 * Holds a value to what the protocol can hash: null, booleans, finite numbers other than -0, well-formed
 * strings, dense arrays and plain objects.
 * @throws ProtocolError as {@link canonicalBytes}
 */
export function assertJson(value: unknown, depth = 1): asserts value is Json {
  if (value === null || typeof value === "boolean") return;
  if (typeof value === "string") {
    if (loneSurrogate.test(value)) throw new ProtocolError("invalid_json");
    return;
  }
  if (typeof value === "number") {
    if (!Number.isFinite(value) || Object.is(value, -0))
      throw new ProtocolError("number_not_exact");
    return;
  }
  if (typeof value !== "object") throw new ProtocolError("invalid_json");
  if (depth > maxDepth) throw new ProtocolError("too_deep");
  // Own or inherited, on an array too: canonicalize would call it and sign what it returns.
  if ("toJSON" in value && typeof value.toJSON === "function") {
    throw new ProtocolError("invalid_json");
  }
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) assertJson(value[index], depth + 1);
    return;
  }
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw new ProtocolError("invalid_json");
  if (Object.getOwnPropertySymbols(value).length > 0) throw new ProtocolError("invalid_json");
  for (const [member, inner] of Object.entries(value)) {
    if (member === "__proto__") throw new ProtocolError("forbidden_member");
    if (loneSurrogate.test(member)) throw new ProtocolError("invalid_json");
    assertJson(inner, depth + 1);
  }
}

/**
 * Finds what `JSON.parse` forgives: depth is counted and duplicates are looked for before any value
 * is built; malformed text is left for `JSON.parse` to refuse.
 */
function scan(text: string): void {
  const open: (Set<string> | null)[] = [];
  let lastString: string | null = null;
  for (let index = 0; index < text.length; ) {
    const character = text[index] as string;
    let end = index + 1;
    if (character === '"') {
      end = endOfString(text, index);
      lastString = text.slice(index, end);
    } else if (character === ":" && lastString !== null) {
      addMember(open.at(-1), lastString);
      lastString = null;
    } else if (character === "{" || character === "[") {
      open.push(character === "{" ? new Set() : null);
      if (open.length > maxDepth) throw new ProtocolError("too_deep");
    } else if (character === "}" || character === "]") {
      open.pop();
    } else if (isNumberStart(character)) {
      while (end < text.length && /[0-9.eE+-]/.test(text[end] as string)) end++;
      assertExact(text.slice(index, end));
    }
    index = end;
  }
}

const isNumberStart = (character: string): boolean =>
  character === "-" || (character >= "0" && character <= "9");

function endOfString(text: string, start: number): number {
  for (let index = start + 1; index < text.length; index++) {
    if (text[index] === "\\") index++;
    else if (text[index] === '"') return index + 1;
  }
  throw new ProtocolError("invalid_json");
}

function addMember(members: Set<string> | null | undefined, literal: string): void {
  const member = decodeString(literal);
  if (member === "__proto__") throw new ProtocolError("forbidden_member");
  if (members?.has(member)) throw new ProtocolError("invalid_json");
  members?.add(member);
}

function decodeString(literal: string): string {
  try {
    return JSON.parse(literal) as string;
  } catch (cause) {
    throw new ProtocolError("invalid_json", { cause });
  }
}

/** A literal counts as exact when the double it reads as means the same decimal: 1.50 does, 9007199254740993 does not. */
function assertExact(literal: string): void {
  const value = Number(literal);
  if (!Number.isFinite(value) || Object.is(value, -0)) throw new ProtocolError("number_not_exact");
  if (decimal(literal) !== decimal(String(value))) throw new ProtocolError("number_not_exact");
}

/** Significant digits and exponent of a decimal literal, the same text for the same number. */
function decimal(literal: string): string {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(literal);
  if (!match) throw new ProtocolError("invalid_json");
  const [, sign, whole = "", fraction = "", exponent = "0"] = match;
  const digits = `${whole}${fraction}`.replace(/^0+/, "");
  const significant = withoutTrailingZeros(digits);
  if (significant === "") return "0";
  const scale = Number(exponent) - fraction.length + (digits.length - significant.length);
  return `${sign}${significant}e${scale}`;
}

/** A loop, because /0+$/ takes quadratic time on a long run of zeros that ends in another digit. */
function withoutTrailingZeros(digits: string): string {
  let end = digits.length;
  while (digits[end - 1] === "0") end--;
  return digits.slice(0, end);
}
