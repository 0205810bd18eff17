import {
  type EcPublicJwk,
  fromBase64url,
  ProtocolError,
  parseStrict,
  utf8,
  verifyEs256,
} from "@countersign/shared";

// Compact JWS of other standards: access tokens, DPoP proofs, client assertions. Header and payload keep their
// standards' rules; the caller compares `alg` with ES256.

const compact = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{86}$/;
const maxCharacters = 4096;

/**
 * Takes a compact JWS apart without trusting it.
 * @throws ProtocolError `invalid_encoding`, and what the strict parser refuses
 */
export function readCompact(jws: string): { header: unknown; payload: unknown } {
  if (jws.length > maxCharacters || !compact.test(jws)) {
    throw new ProtocolError("invalid_encoding");
  }
  const [header = "", payload = ""] = jws.split(".");
  return {
    header: parseStrict(fromBase64url(header)),
    payload: parseStrict(fromBase64url(payload)),
  };
}

/** @throws Error when this key did not sign it */
export async function requireSignature(jws: string, jwk: EcPublicJwk): Promise<void> {
  const dot = jws.lastIndexOf(".");
  const signature = fromBase64url(jws.slice(dot + 1));
  if (!(await verifyEs256(jwk, signature, utf8(jws.slice(0, dot))))) throw new Error("signature");
}
