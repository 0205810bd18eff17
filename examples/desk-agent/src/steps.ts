import { stripVTControlCharacters } from "node:util";

const started = performance.now();
let previous = started;

/** One line for each step, with milliseconds since the start and since the step before. */
export function step(text: string): void {
  const now = performance.now();
  const total = Math.round(now - started);
  const since = Math.round(now - previous);
  previous = now;
  console.log(`${String(total).padStart(7)} ms  ${`+${since}`.padStart(7)}  ${printable(text)}`);
}

/** Words of other people on a terminal: no control sequence gets through. */
export function printable(text: string): string {
  return stripVTControlCharacters(text).replace(/[\p{Cc}\p{Cf}]/gu, "\ufffd");
}

export function require(condition: boolean, otherwise: string): asserts condition {
  if (!condition) throw new Error(`The demo failed: ${otherwise}.`);
}
