import type { Bytes } from "../bytes.js";

// In browsers; Node takes ed25519-node.ts in its place.

/** @param publicKey its 32 octets */
export async function verifyEd25519(
  publicKey: Bytes,
  signature: Bytes,
  signed: Bytes,
): Promise<boolean> {
  const key = await crypto.subtle.importKey("raw", publicKey, "Ed25519", false, ["verify"]);
  return crypto.subtle.verify("Ed25519", key, signature, signed);
}
