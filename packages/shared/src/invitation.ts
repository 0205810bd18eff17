import { crockford } from "./crockford.js";

const characterCount = 16;

/**
 * A fresh invitation, `XXXX-XXXX-XXXX-XXXX`: 80 random bits, short enough to be typed where a link does not
 * lead into the installed app, and too many to be found from its stored hash before it runs out.
 */
export function createInvitation(): string {
  const random = crypto.getRandomValues(new Uint8Array(characterCount));
  const characters = Array.from(random, (byte) => crockford[byte & 31]).join("");
  return (characters.match(/.{4}/g) ?? []).join("-");
}

/** An invitation as it is stored and compared, however somebody typed it. */
export const normalizeInvitation = (typed: string): string =>
  typed
    .toUpperCase()
    .replace(/[^0-9A-Z]/g, "")
    .replace(/O/g, "0")
    .replace(/[IL]/g, "1");
