/** A long text in three, which put together are the text. */
export interface Fold {
  start: string;
  middle: string;
  end: string;
}

const longest = { characters: 700, lines: 16 };
const shown = { characters: 320, lines: 8 };

/** Where a long value may be folded; null for one that fits. */
export function foldOf(value: string): Fold | null {
  const lines = value.split("\n").length;
  if (value.length <= longest.characters && lines <= longest.lines) return null;
  const head = Math.min(shown.characters, nthBreak(value, shown.lines));
  const tail = Math.min(shown.characters / 2, lastLines(value, shown.lines / 2));
  const from = wholeMark(value, head);
  const to = wholeMark(value, Math.max(from, value.length - tail));
  return { start: value.slice(0, from), middle: value.slice(from, to), end: value.slice(to) };
}

/** After how many characters the n-th line ends. */
function nthBreak(value: string, count: number): number {
  let at = -1;
  for (let line = 0; line < count; line++) {
    at = value.indexOf("\n", at + 1);
    if (at < 0) return value.length;
  }
  return at + 1;
}

/** How many characters the last lines have. */
function lastLines(value: string, count: number): number {
  let at = value.length;
  for (let line = 0; line < count; line++) {
    at = value.lastIndexOf("\n", at - 1);
    if (at < 1) return value.length;
  }
  return value.length - at - 1;
}

/** A place near `at` that cuts neither a mark nor a character in two. */
function wholeMark(value: string, at: number): number {
  const opened = value.lastIndexOf("⟦", at - 1);
  const start = opened >= 0 && value.indexOf("⟧", opened) >= at ? opened : at;
  return /[\uDC00-\uDFFF]/.test(value.charAt(start)) ? start - 1 : start;
}
