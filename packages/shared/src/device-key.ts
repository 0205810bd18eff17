import { type Bytes, fromBase64url, toBase64url } from "./bytes.js";
import { ProtocolError } from "./errors.js";
import { type EcPublicJwk, type Purpose, pre } from "./hash.js";

const algorithm = { name: "ECDSA", namedCurve: "P-256" } as const;
const es256 = { name: "ECDSA", hash: "SHA-256" } as const;

/** Importing a key takes longer than verifying with it, and the same few come again and again. The oldest goes first. */
const imported = new Map<string, CryptoKey>();
const maxImported = 1000;

/** @throws ProtocolError `unsupported_algorithm` when the point is not on P-256 */
export async function importVerificationKey(jwk: EcPublicJwk): Promise<CryptoKey> {
  const name = `${jwk.kty} ${jwk.crv} ${jwk.x} ${jwk.y}`;
  const known = imported.get(name);
  if (known) return known;
  try {
    const key = await crypto.subtle.importKey("jwk", { ...jwk }, algorithm, false, ["verify"]);
    const [oldest] = imported.keys();
    if (imported.size >= maxImported && oldest !== undefined) imported.delete(oldest);
    imported.set(name, key);
    return key;
  } catch (cause) {
    throw new ProtocolError("unsupported_algorithm", { cause });
  }
}

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
  const octets = fromBase64url(signature);
  const key = await importVerificationKey(jwk);
  const verified =
    octets.length === 64 && (await crypto.subtle.verify(es256, key, octets, pre(purpose, bytes)));
  if (!verified) throw new ProtocolError("device_signature_invalid");
}

/** The public half of an EC key as the protocol writes it: four members, nothing else. */
export async function publicJwk(key: CryptoKey): Promise<EcPublicJwk> {
  const { x, y } = await crypto.subtle.exportKey("jwk", key);
  if (x === undefined || y === undefined) throw new ProtocolError("unsupported_algorithm");
  return { kty: "EC", crv: "P-256", x, y };
}
