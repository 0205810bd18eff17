import { diffArrays } from "diff/lib/diff/array.js";

export interface DiffLine {
  sign: " " | "-" | "+";
  text: string;
}

/** Texts further apart than this are shown one after the other: the search for a shorter way has an end. */
const maxEdits = 2_000;

/**
 * A text and the one in its place, line by line. Nothing is left out: without the lines that are added it is the first
 * text, without those removed the second.
 */
export function diffLines(before: string, after: string): DiffLine[] {
  const [old, now] = [before.split("\n"), after.split("\n")];
  const changes = diffArrays(old, now, { maxEditLength: maxEdits }) ?? [
    { value: old, removed: true, added: false },
    { value: now, removed: false, added: true },
  ];
  return changes.flatMap(({ value, added, removed }) =>
    value.map((text) => ({ sign: added ? "+" : removed ? "-" : " ", text }) as const),
  );
}
