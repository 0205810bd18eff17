// Hostile input without end, and the same again for the same seed.

export type Random = (below: number) => number;

/** mulberry32: small, and good enough to wander with. */
export function seeded(seed: number): Random {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

export const pick = <T>(random: Random, from: readonly T[]): T => from[random(from.length)] as T;

const nasty: readonly string[] = [
  ...[
    "",
    "null",
    "[]",
    "{}",
    "0",
    "-0",
    "1e400",
    "9007199254740993",
    '"',
    "\\",
    "{",
    '{"a":1,"a":2}',
  ],
  ...[
    '{"__proto__":{"x":1}}',
    '{"constructor":{}}',
    "[".repeat(40),
    "[".repeat(20_000),
    '{"a":'.repeat(5000),
  ],
  ...[
    "\u0000",
    "\ud800",
    "\ufeff",
    "\u202e",
    "é".normalize("NFD"),
    "𝒳",
    "\r\n\r\n",
    "%00",
    "%2e%2e/",
    "../../etc",
  ],
  ...["AA", "AB", "A", "A===", "-_-_", "a.b.c", "..", `${"A".repeat(86)}`, "A".repeat(70_000)],
  ...["' or 1=1 --", "$1", "{{7*7}}", "\u0007", "true", "NaN", "1;drop table leaf"],
  ...[
    "--x\r\ncontent-disposition: form-data; name=a\r\n\r\n1\r\n--x--",
    "a=1&a=2",
    "a[]=1",
    "%zz=%",
  ],
];

/** Some other text, near to what was given or far from it. */
export function mutate(random: Random, text: string): string {
  const at = random(text.length + 1);
  const upTo = at + random(12);
  switch (random(8)) {
    case 0:
      return pick(random, nasty);
    case 1:
      return text.slice(0, at) + pick(random, nasty) + text.slice(at);
    case 2:
      return text.slice(0, at) + text.slice(upTo);
    case 3:
      return text.slice(0, at) + String.fromCharCode(random(256)) + text.slice(at + 1);
    case 4:
      return text.slice(0, at);
    case 5:
      return text.slice(0, upTo) + text.slice(at);
    case 6:
      return text.replace(/"[^"]*"/, () => JSON.stringify(pick(random, nasty)));
    default:
      return text.replace(/:("[^"]*"|\d+)/, () => `:${pick(random, nasty)}`);
  }
}

const mediaTypes = [
  ...["application/json", "application/json; charset=utf-16", "application/x-www-form-urlencoded"],
  ...[
    "multipart/form-data; boundary=x",
    "text/plain",
    "application/octet-stream",
    "application/jwt",
    "",
  ],
];

export const mediaTypeOf = (random: Random, right: string): string =>
  random(4) === 0 ? pick(random, mediaTypes) : right;

/** No header holds what would end it; what is left is sent. */
export const asHeader = (text: string): string =>
  text
    .replace(/[^\t\x20-\x7e]/g, "")
    .slice(0, 6000)
    .trim();
