import { foldedRanges, lookAlikes, scriptRanges } from "./look-alike-table.js";
import { quote } from "./quote.js";
import { isWithin, readRanges } from "./ranges.js";

const folded = readRanges(foldedRanges);
const scripts = scriptRanges.map(([name, ranges]) => ({ name, ranges: readRanges(ranges) }));
/** Blocks whose unassigned code points are right-to-left too: Unicode, DerivedBidiClass. */
const rightToLeft = [
  [0x590, 0x8ff],
  [0xfb1d, 0xfdff],
  [0xfe70, 0xfeff],
  [0x10800, 0x10fff],
  [0x1e800, 0x1efff],
] as const;

/** Blocks that hold nothing but letters, of scripts that are not named above; stable, as blocks are. */
const otherLetters = [
  [0x530, 0x1cff],
  [0x2c00, 0x2dff],
  [0xa000, 0xabff],
  [0x10000, 0x1cfff],
] as const;
const otherScript = "another script";

let prototypes: Map<number, string> | undefined;

function readPrototypes(): Map<number, string> {
  const result = new Map<number, string>();
  let codePoint = 0;
  for (const [, distance = "", text = "", length = "1"] of lookAlikes.matchAll(
    /(\S+) (\S+)(?: \+(\S+))?(?: |$)/g,
  )) {
    codePoint += Number.parseInt(distance, 36);
    const count = Number.parseInt(length, 36);
    result.set(codePoint, text);
    for (let more = 1; more < count; more++) {
      result.set(codePoint + more, String.fromCharCode(text.charCodeAt(0) + more));
    }
  }
  return result;
}

/** The text in ASCII letters where a character looks like some; the same text where none does (UTS 39, skeleton). */
function inAscii(text: string): string {
  prototypes ??= readPrototypes();
  const known = prototypes;
  return Array.from(text, (character) => {
    return known.get(character.codePointAt(0) as number) ?? character;
  }).join("");
}

type Blocks = readonly (readonly [first: number, last: number])[];
const isInside = (blocks: Blocks, codePoint: number): boolean =>
  blocks.some(([first, last]) => codePoint >= first && codePoint <= last);

/** What stands between words, in names of any kind. */
const between = /[\s/\\.,:;@_()[\]{}<>"'-]/;
const isAscii = (text: string): boolean => /^[\0-\x7f]*$/.test(text);

const isRightToLeft = (codePoint: number): boolean => isInside(rightToLeft, codePoint);

/** Whether programs replace characters of a host by others before they look it up (UTS 46). */
export const isFolded = (host: string): boolean =>
  Array.from(host).some((character) => isWithin(folded, character.codePointAt(0) as number));

/**
 * What may deceive the eye in a name: a host, a path, a recipient.
 * @returns our sentences, with the characters in question quoted; none for ASCII
 */
export function suspicions(name: string): string[] {
  if (isAscii(name)) return [];
  const said: string[] = [];
  const posing = name.split(between).map((word) => [word, inAscii(word)] as const);
  // A whole word of look-alikes poses as another word; one among letters of its own script is at home there.
  for (const [word, ascii] of posing) {
    if (word !== ascii && isAscii(ascii)) {
      said.push(`Letters that are not what they seem: ${quote(word)} reads like ${quote(ascii)}`);
    }
  }
  const mixed = mixedWord(name);
  if (mixed) said.push(`Letters of different scripts in one word: ${mixed}`);
  if (Array.from(name).some((character) => isRightToLeft(character.codePointAt(0) as number))) {
    said.push("Letters that are written from right to left, shown here in the order of the text");
  }
  return said;
}

/** The first word whose letters UTS 39 would not expect together. */
function mixedWord(name: string): string | undefined {
  for (const word of name.split(between)) {
    const names = [...new Set(Array.from(word, scriptOf))].filter((script) => script !== undefined);
    if (names.length > 1 && names.some((script) => script !== "Latin" && script !== "East Asian")) {
      return `${quote(word)} (${names.join(", ")})`;
    }
  }
  return undefined;
}

function scriptOf(character: string): string | undefined {
  const codePoint = character.codePointAt(0) as number;
  const named = scripts.find(({ ranges }) => isWithin(ranges, codePoint))?.name;
  return named ?? (isInside(otherLetters, codePoint) ? otherScript : undefined);
}
