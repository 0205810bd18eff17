import { concat, fromBase64url } from "./bytes.js";
import { crockford } from "./crockford.js";
import { hashBytes } from "./hash.js";

/**
 * First 30 bits of `H("match", ar_hash || req_nonce || match_salt)` in Crockford base32, `XXX-XXX`.
 * The broker chooses its nonce after it has seen AR and never learns the salt: neither side can grind it.
 */
export function matchCode(parts: { arHash: string; reqNonce: string; matchSalt: string }): string {
  const digest = hashBytes(
    "match",
    concat(
      fromBase64url(parts.arHash),
      fromBase64url(parts.reqNonce),
      fromBase64url(parts.matchSalt),
    ),
  );
  const bits = new DataView(digest.buffer).getUint32(0) >>> 2;
  const characters = [25, 20, 15, 10, 5, 0].map((shift) => crockford[(bits >>> shift) & 31]);
  return `${characters.slice(0, 3).join("")}-${characters.slice(3).join("")}`;
}
