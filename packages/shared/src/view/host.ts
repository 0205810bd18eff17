/// <reference path="./punycode.d.ts" />
import punycode from "punycode/punycode.js";
import { isFolded, suspicions } from "./look-alikes.js";
import { registrableDomain } from "./public-suffix.js";
import { isHidden, visible } from "./visible.js";

/** Where a host leads, as far as it can be told for every program that may read it. */
export interface Host {
  /** In lower case, as it was written. */
  written: string;
  /** In punycode; undefined where programs differ or fail. */
  ascii: string | undefined;
  /** In letters, where it was written in punycode. */
  letters: string | undefined;
  domain: string | undefined;
  /** Our sentences on what may deceive. */
  warnings: string[];
}

/** Takes a host apart without the engine's own URL parser: engines differ in their tables, the view must not. */
export function readHost(text: string): Host {
  const written = text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  const unknown = (warning: string): Host => ({
    written,
    ascii: undefined,
    letters: undefined,
    domain: undefined,
    warnings: [warning, ...suspicions(written)],
  });
  if (/^\[[0-9a-f:.]+\]$/.test(written)) return address(written);
  if (isDottedQuad(written)) return address(written);
  if (isFolded(written)) {
    return unknown(
      "Letters in the host that programs replace by others: where it leads cannot be told",
    );
  }
  if (written.includes("%")) return unknown("Percent signs in the host: programs replace them");
  const ascii = asciiOf(written);
  if (ascii === undefined) return unknown("Not a host that every program reads alike");
  if (/(^|\.)(\d+|0x[0-9a-f]*)\.?$/.test(ascii)) {
    return unknown("A number in place of a host: programs turn it into an address");
  }
  const bare = ascii.replace(/\.$/, "");
  const letters = lettersOf(bare);
  return {
    written,
    ascii,
    letters: letters === written.replace(/\.$/, "") ? undefined : letters,
    domain: registrableDomain(bare),
    warnings: suspicions(letters ?? written),
  };
}

const address = (written: string): Host => ({
  written,
  ascii: written,
  letters: undefined,
  domain: undefined,
  warnings: ["A bare address in place of a name"],
});

const isDottedQuad = (text: string): boolean =>
  /^(0|[1-9]\d{0,2})(\.(0|[1-9]\d{0,2})){3}$/.test(text) &&
  text.split(".").every((part) => Number(part) < 256);

function asciiOf(written: string): string | undefined {
  if (Array.from(written).some((character) => isHidden(character.codePointAt(0) as number))) {
    return undefined;
  }
  try {
    const ascii = punycode.toASCII(written);
    const isHost =
      /^([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.?$/;
    return isHost.test(ascii) && ascii.length < 255 ? ascii : undefined;
  } catch {
    return undefined;
  }
}

/** Undefined for punycode that says nothing. */
function lettersOf(ascii: string): string | undefined {
  try {
    const letters = punycode.toUnicode(ascii);
    return visible(letters) === letters && punycode.toASCII(letters) === ascii
      ? letters
      : undefined;
  } catch {
    return undefined;
  }
}
