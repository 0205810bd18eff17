import { isWithin, readRanges } from "./ranges.js";
import { combiningRanges, hiddenRanges } from "./unicode-table.js";

const hidden = readRanges(hiddenRanges);
const combining = readRanges(combiningRanges);

export const isHidden = (codePoint: number): boolean => isWithin(hidden, codePoint);

const open = "⟦";
const close = "⟧";
const lineBreak = "⏎";
const quotes = ["⟪", "⟫"] as const;
const reserved: readonly string[] = [open, close, lineBreak, ...quotes];

/** More than this on one letter covers the lines above and below it. */
const maxCombining = 4;

/**
 * Text as it may be shown: what a screen would hide, reorder or swallow becomes a mark, and the marks' own
 * characters are marked too, so that two different texts never look alike as strings.
 * Runs of spaces, and spaces at an end, are folded and counted; marks that pile up on a letter, or stand on none, are named.
 */
export function visible(text: string): string {
  let shown = "";
  let onLetter = Number.POSITIVE_INFINITY;
  const characters = Array.from(text);
  for (let index = 0; index < characters.length; index++) {
    const character = characters[index] as string;
    const codePoint = character.codePointAt(0) as number;
    const isMarked = isHidden(codePoint) || reserved.includes(character);
    if (!isMarked && isWithin(combining, codePoint)) {
      onLetter++;
      shown += onLetter > maxCombining ? markOf(codePoint) : character;
      continue;
    }
    // A combining mark goes on a letter only: on a space or on a mark of ours it would draw over what is not its own.
    onLetter = isMarked || character === " " || character === "\n" ? Number.POSITIVE_INFINITY : 0;
    if (character === " ") {
      const length = spacesFrom(characters, index);
      const atAnEnd = index === 0 || index + length === characters.length;
      shown += length > 1 || atAnEnd ? mark(`${length} ${length === 1 ? "space" : "spaces"}`) : " ";
      index += length - 1;
    } else if (character === "\n") {
      shown += `${lineBreak}\n`;
    } else {
      shown += isMarked ? markOf(codePoint) : character;
    }
  }
  return shown;
}

/** How many marks {@link visible} put in place of a character, for the count beside a value. */
export function countMarks(shown: string): number {
  return shown.split(`${open}U+`).length - 1;
}

/** Somebody else's text within a sentence of ours. It cannot end the quotation: {@link visible} marks these quotes. */
export const quote = (text: string): string => `${quotes[0]}${abridged(visible(text))}${quotes[1]}`;

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

const mark = (inner: string): string => `${open}${inner}${close}`;

/** A code point by its number. */
export const markOf = (codePoint: number): string =>
  mark(`U+${codePoint.toString(16).toUpperCase().padStart(4, "0")}`);

function spacesFrom(characters: readonly string[], start: number): number {
  let end = start;
  while (characters[end] === " ") end++;
  return end - start;
}
