/** Sorted boundaries: a code point is within when an odd number of them are at or below it. */
export type Ranges = Int32Array;

const digits =
  "! #%&()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_abcdefghijklmnopqrstuvwxyz{|}~";
const base = digits.length / 2;

/** Reads what the generators write: for each range the distance from the last one's end, and its length minus one. */
export function readRanges(encoded: string): Ranges {
  const numbers: number[] = [];
  let number = 0;
  let worth = 1;
  for (const digit of encoded) {
    const value = digits.indexOf(digit);
    number += (value % base) * worth;
    worth *= base;
    if (value >= base) continue;
    numbers.push(number);
    number = 0;
    worth = 1;
  }
  let position = 0;
  return Int32Array.from(numbers, (distance, index) => {
    position += distance;
    return index % 2 === 0 ? position : position + 1;
  });
}

export function isWithin(ranges: Ranges, codePoint: number): boolean {
  let low = 0;
  let high = ranges.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ranges[middle] as number) <= codePoint) low = middle + 1;
    else high = middle;
  }
  return low % 2 === 1;
}
