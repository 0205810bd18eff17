import { bytes32, ProtocolError, parse, randomId, toBase64url, utf8 } from "@countersign/shared";
import * as z from "zod/mini";
import type { Broker } from "../broker.js";
import { readCompact, requireSignature } from "./compact.js";

/** Tokens are the broker's own word: they open endpoints and are no approval to anybody. */
export const accessTokenSeconds = { approval: 60, client: 300 } as const;

type Scope = "approval" | "client";

/** @see RFC 9068, RFC 9449 section 6 */
export function issueAccessToken(
  broker: Broker,
  given: { clientId: string; scope: Scope; subject: string },
): { access_token: string; token_type: "DPoP"; expires_in: number; scope: string } {
  const seconds = accessTokenSeconds[given.scope];
  const now = Math.floor(broker.now() / 1000);
  const token = signToken(broker, "at+jwt", {
    client_id: given.clientId,
    scope: given.scope,
    cnf: { jkt: given.clientId },
    iss: broker.site.issuer,
    aud: broker.site.issuer,
    sub: given.subject,
    jti: randomId(),
    iat: now,
    exp: now + seconds,
  });
  return { access_token: token, token_type: "DPoP", expires_in: seconds, scope: given.scope };
}

/** CIBA 10.1.1: a token response carries an ID token about the person who answered. */
export function issueIdToken(
  broker: Broker,
  given: { clientId: string; approver: string; rid: string },
): string {
  const now = Math.floor(broker.now() / 1000);
  return signToken(broker, undefined, {
    "urn:openid:params:jwt:claim:auth_req_id": given.rid,
    iss: broker.site.issuer,
    aud: given.clientId,
    sub: given.approver,
    iat: now,
    exp: now + accessTokenSeconds.approval,
  });
}

function signToken(
  { signingKey }: Broker,
  typ: string | undefined,
  claims: Record<string, unknown>,
): string {
  const signed = [{ alg: "ES256", typ, kid: signingKey.kid }, claims]
    .map((part) => toBase64url(utf8(JSON.stringify(part))))
    .join(".");
  return `${signed}.${toBase64url(signingKey.sign(utf8(signed)))}`;
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
