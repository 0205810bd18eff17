import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import * as z from "zod/mini";
import { credential } from "./assertion.js";
import { type Bytes, equalBytes, fromBase64url, toBase64url } from "./bytes.js";
import { type ChainHead, deviceKeys } from "./chain.js";
import { ProtocolError } from "./errors.js";
import { hash, pre, sha256Text, thumbprint } from "./hash.js";
import { canonicalBytes } from "./json.js";
import { bytes32, id } from "./schema.js";

/** A link lives this long, in seconds. */
export const linkSeconds = 600;

/** The public keys of a phone that wants to be added: its own two, and a passkey where none was synced to it. */
export const linkedKeys = z.strictObject({
  device: deviceKeys,
  credential: z.optional(credential),
});
export type LinkedKeys = z.infer<typeof linkedKeys>;

/** What a scanned or pasted link says. The secret never reaches a server. */
export interface DeviceLink {
  secret: Bytes;
  linkId: string;
  /** Thumbprints of `sig_jwk` and `enc_jwk`, and of the credential where there is one. */
  thumbprints: readonly string[];
}

export const deviceLinkId = (secret: Uint8Array): string => hash("link", secret);

/** `<origin>/link#1.<secret>.<sig>.<enc>[.<credential>]`: shown by the new phone, read by the old one. */
export function deviceLink(origin: string, secret: Uint8Array, keys: LinkedKeys): string {
  return `${origin}/link#1.${[toBase64url(secret), ...thumbprintsOf(keys)].join(".")}`;
}

/**
 * Reads a pasted or scanned link of this very origin.
 * @throws ProtocolError `link_invalid`
 */
export function parseDeviceLink(text: string, origin: string): DeviceLink {
  const prefix = `${origin}/link#1.`;
  const [secretText = "", ...thumbprints] = text.trim().slice(prefix.length).split(".");
  const sound =
    text.trim().startsWith(prefix) &&
    (thumbprints.length === 2 || thumbprints.length === 3) &&
    [secretText, ...thumbprints].every((part) => z.safeParse(bytes32, part).success);
  if (!sound) throw new ProtocolError("link_invalid");
  const secret = fromBase64url(secretText);
  return { secret, linkId: deviceLinkId(secret), thumbprints };
}

/**
 * Holds what the server handed out to what the link says: the server never supplies a key to be signed.
 * @throws ProtocolError `link_invalid`
 */
export function requireLinkedKeys(link: DeviceLink, keys: LinkedKeys): void {
  const given = thumbprintsOf(keys);
  const same =
    given.length === link.thumbprints.length &&
    given.every((thumbprint_, index) => thumbprint_ === link.thumbprints[index]);
  if (!same) throw new ProtocolError("link_invalid");
}

const thumbprintsOf = ({ device, credential: added }: LinkedKeys): string[] => [
  thumbprint(device.sig_jwk),
  thumbprint(device.enc_jwk),
  // Id and backup eligibility too: a passkey under another id would never be found again.
  ...(added ? [sha256Text(canonicalBytes(added))] : []),
];

/** What the old phone sends back through the server: which chain is the approver's, and a proof that it read the link. */
export const vouching = z.strictObject({ approver: id, seq: z.int(), head: bytes32, mac: bytes32 });
export type Vouching = z.infer<typeof vouching>;

/** Made by the old phone for the head of its chain, with the new device in it. */
export function vouch(secret: Uint8Array, approver: string, at: ChainHead): Vouching {
  return { approver, seq: at.seq, head: at.head, mac: vouchMac(secret, approver, at) };
}

/**
 * Checked by the new phone, which trusts nothing of a chain but what goes through this head.
 * @throws ProtocolError `link_invalid` when its maker did not read the link
 */
export function verifyVouching(secret: Uint8Array, given: Vouching): ChainHead {
  const expected = fromBase64url(vouchMac(secret, given.approver, given));
  if (!equalBytes(expected, fromBase64url(given.mac))) throw new ProtocolError("link_invalid");
  return { seq: given.seq, head: given.head };
}

function vouchMac(secret: Uint8Array, approver: string, { seq, head }: ChainHead): string {
  const bytes = canonicalBytes({ v: 1, approver, seq, head });
  return toBase64url(hmac(sha256, secret, pre("vouch", bytes)));
}
