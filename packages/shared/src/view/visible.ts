import { hiddenRanges } from "./unicode-table.js";

const boundaries = readBoundaries();

/** Sorted boundaries: a code point is hidden when an odd number of them are at or below it. */
function readBoundaries(): Int32Array {
  const numbers = hiddenRanges.split(" ").map((text) => Number.parseInt(text, 36));
  const result = new Int32Array(numbers.length);
  let position = 0;
  for (let index = 0; index < numbers.length; index += 2) {
    position += numbers[index] as number;
    result[index] = position;
    position += numbers[index + 1] as number;
    result[index + 1] = position + 1;
  }
  return result;
}

export function isHidden(codePoint: number): boolean {
  let low = 0;
  let high = boundaries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((boundaries[middle] as number) <= codePoint) low = middle + 1;
    else high = middle;
  }
  return low % 2 === 1;
}

const open = "⟦";
const close = "⟧";
const lineBreak = "⏎";

/**
 * Text as it may be shown: what a screen would hide, reorder or swallow becomes a mark, and the marks' own
 * characters are marked too, so that two different texts never look alike as strings.
 * Runs of spaces, and spaces at an end, are folded and counted.
 */
export function visible(text: string): string {
  let shown = "";
  const characters = Array.from(text);
  for (let index = 0; index < characters.length; index++) {
    const character = characters[index] as string;
    const codePoint = character.codePointAt(0) as number;
    if (character === " ") {
      const length = spacesFrom(characters, index);
      const atAnEnd = index === 0 || index + length === characters.length;
      shown += length > 1 || atAnEnd ? mark(`${length} ${length === 1 ? "space" : "spaces"}`) : " ";
      index += length - 1;
    } else if (character === "\n") {
      shown += `${lineBreak}\n`;
    } else if (isHidden(codePoint) || [open, close, lineBreak].includes(character)) {
      shown += mark(`U+${codePoint.toString(16).toUpperCase().padStart(4, "0")}`);
    } else {
      shown += character;
    }
  }
  return shown;
}

/** How many marks {@link visible} put in place of a character, for the count beside a value. */
export function countMarks(shown: string): number {
  return shown.split(`${open}U+`).length - 1;
}

const mark = (inner: string): string => `${open}${inner}${close}`;

function spacesFrom(characters: readonly string[], start: number): number {
  let end = start;
  while (characters[end] === " ") end++;
  return end - start;
}
