import { randomId, sha256Text, utf8 } from "@countersign/shared";
import { SignJWT } from "jose";
import type { AgentKey } from "../home/agent-key.js";

const assertionSeconds = 60;

/** A client assertion: how the agent authenticates to the OAuth endpoints (RFC 7523, section 3). */
export async function clientAssertion(
  key: AgentKey,
  audience: string,
  nowSeconds: number,
): Promise<string> {
  return new SignJWT({ jti: randomId() })
    .setProtectedHeader({ alg: "ES256", kid: key.kid })
    .setIssuer(key.kid)
    .setSubject(key.kid)
    .setAudience(audience)
    .setIssuedAt(nowSeconds)
    .setExpirationTime(nowSeconds + assertionSeconds)
    .sign(key.privateKey);
}

/**
 * A DPoP proof for one call (RFC 9449, section 4.2). With an access token it also proves that the call is
 * made by whom the token was given to.
 */
export async function dpopProof(
  key: AgentKey,
  call: { method: string; url: string; accessToken?: string | undefined },
  nowSeconds: number,
): Promise<string> {
  const { origin, pathname } = new URL(call.url);
  const ath = call.accessToken === undefined ? {} : { ath: sha256Text(utf8(call.accessToken)) };
  return new SignJWT({ jti: randomId(), htm: call.method, htu: origin + pathname, ...ath })
    .setProtectedHeader({ alg: "ES256", typ: "dpop+jwt", jwk: { ...key.jwk } })
    .setIssuedAt(nowSeconds)
    .sign(key.privateKey);
}
