const digits =
  "! #%&()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_abcdefghijklmnopqrstuvwxyz{|}~";
const base = 45;

/** Lowest digit first; one of the upper half of the digits says that another follows. */
function encodeNumber(number) {
  return number < base
    ? digits[number]
    : digits[base + (number % base)] + encodeNumber(Math.floor(number / base));
}

/** Sorted code points as ranges: distance from the end of the last one, then length minus one. */
export function encodeRanges(codePoints) {
  const ranges = [];
  for (const codePoint of codePoints) {
    const last = ranges.at(-1);
    if (last && last[1] === codePoint - 1) last[1] = codePoint;
    else ranges.push([codePoint, codePoint]);
  }
  let previous = 0;
  return ranges
    .map(([first, last]) => {
      const pair = encodeNumber(first - previous) + encodeNumber(last - first);
      previous = last;
      return pair;
    })
    .join("");
}

export function codePointsWhere(test) {
  const found = [];
  for (let codePoint = 0; codePoint <= 0x10ffff; codePoint++) {
    if (test(String.fromCodePoint(codePoint), codePoint)) found.push(codePoint);
  }
  return found;
}
