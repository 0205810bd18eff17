import { sha256 } from "#sha256";
import { utf8 } from "../bytes.js";
import type { Kind } from "./row.js";
import { secretFormats } from "./secret-formats.js";

/** A part of a text in whose place the view says `text`: where it starts, and how many UTF-16 code units it takes. */
export interface Mask {
  start: number;
  length: number;
  text: string;
}

// A word of its own, or what stands before the @ of an address: nothing that a path or a host goes on with.
const before = "(?:(?<![\\w.~%/\\\\@-])|(?<=//(?:[\\w.-]{0,64}:)?)(?=[^\\s/\\\\@]{1,300}@))";
const after = "(?![\\w/\\\\-]|[.:][\\w-])";
const formats = secretFormats.map(([, pattern]) => `(${pattern})`).join("|");
const secret = new RegExp(`${before}(?:${formats})${after}`, "g");

const beforeAt = /\/\/[^/?#\\\s]*$/;
/** Where a command hands over a value that is called a secret; any other word of it may be a file or a program. */
const afterItsName =
  /(?:(?:token|pass|secret|key|auth|credential)[\w-]*["']?\s?[:=]\s?["']?(?:(?:bearer|basic|token)\s)?|--?[\w-]*(?:token|pass|secret|key|auth)[\w-]*\s["']?|\s(?:-u|--user)\s["']?[\w.-]*:)$/i;

type Rule = (left: string, right: string) => boolean;
const isBeforeAt: Rule = (left, right) => right === "@" && beforeAt.test(left);
const inAddress: Rule = (left, right) => /[?#]/.test(left) || isBeforeAt(left, right);
const inCode: Rule = (left, right) => afterItsName.test(left) || isBeforeAt(left, right);

/** Where masking cannot hide what matters. A path, a host, a recipient, an amount is never masked. */
const rules: Partial<Record<Kind, Rule>> = {
  text: () => true,
  address: inAddress,
  command: inCode,
  code: inCode,
  before: inCode,
  after: inCode,
};

/** The secrets in a text that is shown as this kind, in order, each with what stands for it. */
export function masksOf(text: string, kind: Kind): Mask[] {
  const rule = rules[kind];
  if (!rule) return [];
  return [...text.matchAll(secret)].flatMap((match) => {
    const [found, ...groups] = match;
    const end = match.index + found.length;
    // An address starts with its host: all of it counts. Of anything else, as much as a name and its sign take.
    const left = text.slice(kind === "address" ? 0 : Math.max(0, match.index - 300), match.index);
    if (!rule(left, text.slice(end, end + 1))) return [];
    const name = secretFormats[groups.findIndex((group) => group !== undefined)]?.[0];
    const hash = sha256(utf8(found)).slice(0, 3);
    const hex = Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
    const said = `secret: ${name}, ${found.length} characters, #${hex}`;
    return [{ start: match.index, length: found.length, text: said }];
  });
}

/** Whether a text holds a secret of a known format, wherever in it. */
export const holdsSecret = (text: string): boolean => masksOf(text, "text").length > 0;
