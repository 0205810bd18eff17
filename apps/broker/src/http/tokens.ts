import { bytes32, ProtocolError, parse, randomId } from "@countersign/shared";
import { SignJWT } from "jose";
import * as z from "zod/mini";
import type { Broker } from "../broker.js";
import { readCompact, requireSignature } from "./compact.js";

/** Tokens are the broker's own word: they open endpoints and are no approval to anybody. */
export const accessTokenSeconds = { approval: 60, client: 300 } as const;

type Scope = "approval" | "client";

/** @see RFC 9068, RFC 9449 section 6 */
export async function issueAccessToken(
  broker: Broker,
  given: { clientId: string; scope: Scope; subject: string },
): Promise<{ access_token: string; token_type: "DPoP"; expires_in: number; scope: string }> {
  const seconds = accessTokenSeconds[given.scope];
  const now = Math.floor(broker.now() / 1000);
  const token = await new SignJWT({
    client_id: given.clientId,
    scope: given.scope,
    cnf: { jkt: given.clientId },
  })
    .setProtectedHeader({ alg: "ES256", typ: "at+jwt", kid: broker.signingKey.kid })
    .setIssuer(broker.site.issuer)
    .setAudience(broker.site.issuer)
    .setSubject(given.subject)
    .setJti(randomId())
    .setIssuedAt(now)
    .setExpirationTime(now + seconds)
    .sign(broker.signingKey.privateKey);
  return { access_token: token, token_type: "DPoP", expires_in: seconds, scope: given.scope };
}

/** CIBA 10.1.1: a token response carries an ID token about the person who answered. */
export async function issueIdToken(
  broker: Broker,
  given: { clientId: string; approver: string; rid: string },
): Promise<string> {
  const now = Math.floor(broker.now() / 1000);
  return new SignJWT({ "urn:openid:params:jwt:claim:auth_req_id": given.rid })
    .setProtectedHeader({ alg: "ES256", kid: broker.signingKey.kid })
    .setIssuer(broker.site.issuer)
    .setAudience(given.clientId)
    .setSubject(given.approver)
    .setIssuedAt(now)
    .setExpirationTime(now + accessTokenSeconds.approval)
    .sign(broker.signingKey.privateKey);
}

const claims = z.object({
  iss: z.string(),
  aud: z.string(),
  exp: z.number(),
  client_id: bytes32,
  scope: z.string(),
  cnf: z.object({ jkt: bytes32 }),
});
const header = z.object({ typ: z.literal("at+jwt"), alg: z.literal("ES256"), kid: bytes32 });

/**
 * The agent that a client token was issued to.
 * @throws ProtocolError `invalid_token`
 */
export async function verifyClientToken(broker: Broker, token: string): Promise<string> {
  try {
    const read = readCompact(token);
    parse(header, read.header);
    await requireSignature(token, broker.signingKey.publicJwk);
    const given = parse(claims, read.payload);
    const sound =
      given.iss === broker.site.issuer &&
      given.aud === broker.site.issuer &&
      given.exp > broker.now() / 1000 &&
      given.scope === "client" &&
      given.cnf.jkt === given.client_id;
    if (!sound) throw new Error("claims");
    return given.client_id;
  } catch (cause) {
    throw new ProtocolError("invalid_token", { cause });
  }
}
