import { isWithin, readRanges } from "./ranges.js";
import type { Mask } from "./secrets.js";
import { combiningRanges, hiddenRanges } from "./unicode-table.js";

const hidden = readRanges(hiddenRanges);
const combining = readRanges(combiningRanges);

export const isHidden = (codePoint: number): boolean => isWithin(hidden, codePoint);

const open = "⟦";
const close = "⟧";
const lineBreak = "⏎";
export const quotes = ["⟪", "⟫"] as const;
const reserved: readonly string[] = [open, close, lineBreak, ...quotes];

/** More than this on one letter covers the lines above and below it. */
const maxCombining = 4;

/**
 * Text as it may be shown: what a screen would hide, reorder or swallow becomes a mark, and the marks' own
 * characters are marked too, so that two different texts never look alike as strings.
 * Runs of spaces, and spaces at an end, are folded and counted; marks that pile up on a letter, or stand on none, are named.
 * @param masks parts that are told instead of shown, in order
 */
export function visible(text: string, masks: readonly Mask[] = []): string {
  let shown = "";
  let position = 0;
  let nextMask = 0;
  let onLetter = Number.POSITIVE_INFINITY;
  const characters = Array.from(text);
  for (let index = 0; index < characters.length; index++) {
    const character = characters[index] as string;
    const codePoint = character.codePointAt(0) as number;
    const mask = masks[nextMask];
    position += character.length;
    if (mask && position > mask.start) {
      if (position >= mask.start + mask.length) {
        shown += mark(mask.text);
        onLetter = Number.POSITIVE_INFINITY;
        nextMask++;
      }
      continue;
    }
    const isMarked = isHidden(codePoint) || reserved.includes(character);
    if (!isMarked && isWithin(combining, codePoint)) {
      onLetter++;
      shown += onLetter > maxCombining ? markOf(codePoint) : character;
      continue;
    }
    // A combining mark goes on a letter only: on a space, a line break or a mark of ours it would draw over what is not its own.
    onLetter = isMarked || character === " " ? Number.POSITIVE_INFINITY : 0;
    if (character === " ") {
      const length = spacesFrom(characters, index);
      const atAnEnd = index === 0 || index + length === characters.length;
      shown += length > 1 || atAnEnd ? mark(`${length} ${length === 1 ? "space" : "spaces"}`) : " ";
      index += length - 1;
      position += length - 1;
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

/** Whether a shown text tells a secret instead of showing it: no text can bring such a mark along. */
export const hasMask = (shown: string): boolean => shown.includes(`${open}secret: `);

export const mark = (inner: string): string => `${open}${inner}${close}`;

/** A code point by its number. */
export const markOf = (codePoint: number): string =>
  mark(`U+${codePoint.toString(16).toUpperCase().padStart(4, "0")}`);

function spacesFrom(characters: readonly string[], start: number): number {
  let end = start;
  while (characters[end] === " ") end++;
  return end - start;
}
