import type { Kind } from "./row.js";
import { masksOf } from "./secrets.js";
import { mark, quotes, visible } from "./visible.js";

/** A value as its row shows it: secrets of a known format are told by kind, length and a short hash. */
export const masked = (text: string, kind: Kind): string => visible(text, masksOf(text, kind));

/**
 * Somebody else's text within a sentence of ours. It cannot end the quotation: {@link visible} marks these quotes.
 * @param kind of the value that the text is from; without one nothing in it is masked
 */
export const quote = (text: string, kind: Kind = "path"): string =>
  `${quotes[0]}${abridged(masked(text, kind))}${quotes[1]}`;

const quotedStart = 80;
const quotedEnd = 40;

/** A sentence stays one: the whole value has a row of its own. What is left out is counted. */
function abridged(shown: string): string {
  const characters = Array.from(shown);
  const leftOut = characters.length - quotedStart - quotedEnd;
  if (leftOut <= quotedEnd) return shown;
  const start = characters.slice(0, quotedStart).join("");
  return `${start}${mark(`${leftOut} characters`)}${characters.slice(-quotedEnd).join("")}`;
}
