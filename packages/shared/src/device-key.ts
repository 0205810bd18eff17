import * as z from "zod/mini";
import { verifyEs256 } from "#es256";
import { type Bytes, fromBase64url, toBase64url } from "./bytes.js";
import { ProtocolError } from "./errors.js";
import { type EcPublicJwk, type Purpose, pre } from "./hash.js";
import { ecPublicJwk } from "./schema.js";

const es256 = { name: "ECDSA", hash: "SHA-256" } as const;

/** Device signature: 64-byte ES256 over `pre(purpose, bytes)` (section 2). */
export async function signWithDevice(
  purpose: Purpose,
  bytes: Bytes,
  privateKey: CryptoKey,
): Promise<string> {
  return toBase64url(
    new Uint8Array(await crypto.subtle.sign(es256, privateKey, pre(purpose, bytes))),
  );
}

/** @throws ProtocolError `device_signature_invalid` */
export async function verifyDeviceSignature(
  purpose: Purpose,
  bytes: Bytes,
  signature: string,
  jwk: EcPublicJwk,
): Promise<void> {
  // Of another length than 64 octets it is no signature, for node:crypto and WebCrypto alike.
  const verified = await verifyEs256(jwk, fromBase64url(signature), pre(purpose, bytes));
  if (!verified) throw new ProtocolError("device_signature_invalid");
}

/**
 * The public half of a P-256 key as the protocol writes it: four members, nothing else.
 * @throws ProtocolError `unsupported_algorithm` for a key of any other kind
 */
export async function publicJwk(key: CryptoKey): Promise<EcPublicJwk> {
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", key);
  const jwk = z.safeParse(ecPublicJwk, { kty, crv, x, y });
  if (!jwk.success) throw new ProtocolError("unsupported_algorithm");
  return jwk.data;
}
