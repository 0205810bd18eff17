import { createPublicKey, type KeyObject, verify } from "node:crypto";
import { type Bytes, toBase64url } from "../bytes.js";

/** A party has one log, and an auditor few. */
const maxKept = 16;
const kept = new Map<string, KeyObject>();

/** Importing a key takes longer than verifying with it. */
function keyOf(publicKey: Bytes): KeyObject {
  const x = toBase64url(publicKey);
  const known = kept.get(x);
  if (known) return known;
  const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  if (kept.size >= maxKept) kept.clear();
  kept.set(x, key);
  return key;
}

/** As the browser's in ed25519.ts. To another thread and back takes longer than to verify here. */
export async function verifyEd25519(
  publicKey: Bytes,
  signature: Bytes,
  signed: Bytes,
): Promise<boolean> {
  return verify(null, signed, keyOf(publicKey), signature);
}
