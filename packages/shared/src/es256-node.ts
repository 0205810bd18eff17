import { createPublicKey, type KeyObject, verify } from "node:crypto";
import type { Bytes } from "./bytes.js";
import { ProtocolError } from "./errors.js";
import type { EcPublicJwk } from "./hash.js";
import { createKeyCache } from "./key-cache.js";

const keyOf = createKeyCache((jwk) => createPublicKey({ key: { ...jwk }, format: "jwk" }));

/** As the browser's in es256.ts. To another thread and back takes longer than to verify here. */
export async function verifyEs256(
  jwk: EcPublicJwk,
  signature: Bytes,
  signed: Bytes,
): Promise<boolean> {
  let key: KeyObject;
  try {
    key = keyOf(jwk);
  } catch (cause) {
    throw new ProtocolError("unsupported_algorithm", { cause });
  }
  return verify("sha256", signed, { key, dsaEncoding: "ieee-p1363" }, signature);
}
