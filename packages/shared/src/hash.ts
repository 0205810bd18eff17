import { sha256 } from "#sha256";
import { type Bytes, concat, toBase64url, utf8 } from "./bytes.js";
import { canonicalBytes } from "./json.js";

/** What a hash or signature is for. One purpose, one use (protocol section 2). */
export type Purpose =
  | "context"
  | "request"
  | "view"
  | "result"
  | "match"
  | "approve"
  | "deny"
  | "freeze"
  | "recovery"
  | "recovery_code"
  | "login"
  | "register"
  | "pairing"
  | "commit"
  | "pair"
  | "compare"
  | "link"
  | "vouch"
  | "credential"
  | "device"
  | "leaf"
  | "practice";

/** `pre(purpose, bytes)`: the octets that are hashed or signed, so that nothing signed for one purpose serves another. */
export function pre(purpose: Purpose, bytes: Uint8Array): Bytes {
  return concat(utf8(`countersign/${purpose}/v1`), Uint8Array.of(0), bytes);
}

/** `H(purpose, bytes)` as 32 bytes: what a WebAuthn challenge is. */
export function hashBytes(purpose: Purpose, bytes: Uint8Array): Bytes {
  return sha256(pre(purpose, bytes));
}

/** `H(purpose, bytes)` as base64url: how hashes travel. */
export function hash(purpose: Purpose, bytes: Uint8Array): string {
  return toBase64url(hashBytes(purpose, bytes));
}

/** Plain SHA-256 as 32 bytes. */
export const sha256Bytes = sha256;

/** Plain SHA-256 as base64url, for octets that another standard or another party names by it. */
export function sha256Text(bytes: Uint8Array): string {
  return toBase64url(sha256Bytes(bytes));
}

export interface EcPublicJwk {
  kty: "EC";
  crv: "P-256";
  x: string;
  y: string;
}

/** RFC 7638 thumbprint of a P-256 public key: the `kid` of every key here, and an agent's `client_id`. */
export function thumbprint(jwk: EcPublicJwk): string {
  return sha256Text(canonicalBytes({ crv: jwk.crv, kty: jwk.kty, x: jwk.x, y: jwk.y }));
}
