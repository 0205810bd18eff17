import type { Bytes } from "./bytes.js";
import { ProtocolError } from "./errors.js";
import type { EcPublicJwk } from "./hash.js";
import { createKeyCache } from "./key-cache.js";

// In browsers; Node takes es256-node.ts in its place, which waits for no other thread.

const algorithm = { name: "ECDSA", namedCurve: "P-256" } as const;
const es256 = { name: "ECDSA", hash: "SHA-256" } as const;

const keyOf = createKeyCache((jwk) =>
  crypto.subtle.importKey("jwk", { ...jwk }, algorithm, false, ["verify"]),
);

/**
 * @param signature r || s
 * @throws ProtocolError `unsupported_algorithm` when the point is not on P-256
 */
export async function verifyEs256(
  jwk: EcPublicJwk,
  signature: Bytes,
  signed: Bytes,
): Promise<boolean> {
  let key: CryptoKey;
  try {
    key = await keyOf(jwk);
  } catch (cause) {
    throw new ProtocolError("unsupported_algorithm", { cause });
  }
  return crypto.subtle.verify(es256, key, signature, signed);
}
