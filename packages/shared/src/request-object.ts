import * as z from "zod/mini";
import { tier } from "./action.js";
import type { Bytes } from "./bytes.js";
import { ProtocolError } from "./errors.js";
import { type EcPublicJwk, hash, thumbprint } from "./hash.js";
import { canonicalBytes } from "./json.js";
import { parsePayload, readJws, signJws, verifyJws } from "./jws.js";
import { bytes32, id, label, numericDate } from "./schema.js";

export const authorizationDetailsType = "urn:countersign:action:v1";
/** `exp - iat` of a request object, in seconds. */
export const maxRequestSeconds = 600;
/** How far an agent's `iat` may be from the server's clock, in seconds (section 2). */
export const maxClockSkewSeconds = 60;

export const authorizationDetail = z.strictObject({
  type: z.literal(authorizationDetailsType),
  tier,
  ctx: bytes32,
  sealed_sha256: bytes32,
  /** Of the picture's own piece, where it has one: a phone shows the text before it is there. */
  sealed_picture_sha256: z.optional(bytes32),
  renderer: label(16),
  approvers: z.array(id).check(z.minLength(1), z.maxLength(16)),
  quorum: z.int().check(z.minimum(1), z.maximum(16)),
});

/** AR: the CIBA signed authentication request, by the agent's key (section 3, object 4). */
export const requestObject = z.strictObject({
  iss: bytes32,
  aud: label(2000),
  iat: numericDate,
  nbf: numericDate,
  exp: numericDate,
  jti: id,
  scope: z.literal("openid"),
  login_hint: id,
  authorization_details: z.tuple([authorizationDetail]),
});
export type RequestObject = z.infer<typeof requestObject>;

/** AR as the other objects use it: the parsed claims and the hash of the octets that were signed. */
export interface AuthorizationRequest {
  claims: RequestObject;
  detail: z.infer<typeof authorizationDetail>;
  rid: string;
  arHash: string;
}

export async function signRequestObject(
  claims: RequestObject,
  key: { kid: string; privateKey: CryptoKey },
): Promise<string> {
  return signJws(canonicalBytes(claims), "oauth-authz-req+jwt", key);
}

/**
 * Verifies AR under the agent's key, and what it says about itself: issuer of the claims = key, lifetime,
 * approvers that occur once, a quorum they can reach, the first approver as `login_hint`.
 * The caller checks `aud`, the clock and who the approvers are.
 * @throws ProtocolError `invalid_binding`, `unknown_member`, `invalid_request`, and the encoding codes
 * @see OpenID CIBA Core 7.1.1
 */
export async function verifyRequestObject(
  jws: string,
  agentJwk: EcPublicJwk,
): Promise<AuthorizationRequest> {
  const payload = await verifyJws(jws, "oauth-authz-req+jwt", agentJwk);
  const request = readPayload(payload);
  if (request.claims.iss !== thumbprint(agentJwk)) throw new ProtocolError("invalid_binding");
  return request;
}

/**
 * The `iss` that a request object claims, to look its key up by.
 * @throws ProtocolError as {@link verifyRequestObject}, but for the signature
 */
export function readRequestObject(jws: string): AuthorizationRequest {
  return readPayload(readJws(jws, "oauth-authz-req+jwt").payload);
}

function readPayload(payload: Bytes): AuthorizationRequest {
  const claims = parsePayload(requestObject, payload);
  const [detail] = claims.authorization_details;
  const { approvers, quorum } = detail;
  const sound =
    claims.exp > claims.iat &&
    claims.exp - claims.iat <= maxRequestSeconds &&
    claims.nbf <= claims.exp &&
    new Set(approvers).size === approvers.length &&
    quorum <= approvers.length &&
    claims.login_hint === approvers[0];
  if (!sound) throw new ProtocolError("invalid_request");
  return { claims, detail, rid: claims.jti, arHash: hash("request", payload) };
}
