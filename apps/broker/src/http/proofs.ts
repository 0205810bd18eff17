import {
  type EcPublicJwk,
  ecPublicJwk,
  maxClockSkewSeconds,
  ProtocolError,
  parse,
  sha256Text,
  thumbprint,
  utf8,
} from "@countersign/shared";
import * as z from "zod/mini";
import type { Broker } from "../broker.js";
import { isUnavailable } from "../db/failures.js";
import { findLiveAgent } from "../db/pairings.js";
import { readCompact, requireSignature } from "./compact.js";

// RFC 9449 proofs and RFC 7523 client assertions. These keep their standards' rules: unknown members are allowed.

/** How long an assertion or a proof may be used, in seconds; replays are remembered as long. */
const proofSeconds = 300;

/** A used proof, by a hash that says whose and which: replay keys are `jti`, never the string. */
export interface UsedProof {
  hash: string;
  expiresAt: number;
}

const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : "unknown");

const usedProof = (kind: string, owner: string, jti: string, now: number): UsedProof => ({
  hash: sha256Text(utf8(`${kind}\n${owner}\n${jti}`)),
  expiresAt: now + 2 * proofSeconds,
});

const dpopHeader = z.object({
  typ: z.literal("dpop+jwt"),
  alg: z.literal("ES256"),
  jwk: ecPublicJwk,
  crit: z.optional(z.never()),
});
const dpopPayload = z.object({
  jti: z.string().check(z.minLength(8), z.maxLength(256)),
  htm: z.string(),
  htu: z.string(),
  iat: z.number(),
  ath: z.optional(z.string()),
});

export interface DpopProof {
  jkt: string;
  used: UsedProof;
}

/**
 * Verifies a DPoP proof for this call, but for replay: the caller stores `used`.
 * @param accessToken the token that the proof must name by its hash, where one is presented
 * @throws ProtocolError `invalid_dpop_proof`, `clock_skew`
 * @see RFC 9449 section 4.3
 */
export async function verifyDpop(
  broker: Broker,
  proof: string | undefined,
  call: { method: string; path: string; accessToken?: string },
): Promise<DpopProof> {
  if (proof === undefined) throw new ProtocolError("invalid_dpop_proof", { reason: "missing" });
  const now = broker.now() / 1000;
  try {
    const { header, payload } = readCompact(proof);
    const { jwk } = parse(dpopHeader, header);
    const claims = parse(dpopPayload, payload);
    await requireSignature(proof, jwk);
    if (claims.htm !== call.method) throw new Error("htm");
    if (withoutQuery(claims.htu) !== `${broker.site.issuer}${call.path}`) throw new Error("htu");
    if (Math.abs(claims.iat - now) > maxClockSkewSeconds) throw new ProtocolError("clock_skew");
    if (call.accessToken !== undefined && claims.ath !== sha256Text(utf8(call.accessToken))) {
      throw new Error("ath");
    }
    const jkt = thumbprint(jwk);
    return { jkt, used: usedProof("dpop", jkt, claims.jti, now) };
  } catch (cause) {
    if (cause instanceof ProtocolError && cause.code === "clock_skew") throw cause;
    throw new ProtocolError("invalid_dpop_proof", { cause, reason: reasonOf(cause) });
  }
}

/** RFC 9449 4.3 step 9: the URI without query and fragment. */
const withoutQuery = (uri: string): string => uri.replace(/[?#].*$/s, "");

const assertionHeader = z.object({
  alg: z.literal("ES256"),
  typ: z.optional(z.literal(["JWT", "client-authentication+jwt"])),
  crit: z.optional(z.never()),
});
const assertionPayload = z.object({
  iss: z.string(),
  sub: z.string(),
  aud: z.union([z.string(), z.array(z.string())]),
  jti: z.string().check(z.minLength(8), z.maxLength(256)),
  exp: z.number(),
  iat: z.optional(z.number()),
  nbf: z.optional(z.number()),
});

export const clientAssertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/** Agents' keys, by the thumbprints that name them. Whether somebody is still paired with one is asked at each use. */
const knownKeys = new Map<string, EcPublicJwk>();
const maxKnown = 1000;

/** @throws Error when nobody ever was paired with such an agent, or nobody is any more */
async function keyOf({ db }: Broker, clientId: string): Promise<EcPublicJwk> {
  const known = knownKeys.get(clientId);
  if (known) return known;
  const jwk = await findLiveAgent(db, clientId);
  if (!jwk || thumbprint(jwk) !== clientId) throw new Error("unknown");
  if (knownKeys.size >= maxKnown) knownKeys.clear();
  knownKeys.set(clientId, jwk);
  return jwk;
}

/**
 * Verifies `private_key_jwt`, but for replay and for whether the agent is still paired: the caller stores `used`.
 * @throws ProtocolError `invalid_client`, `clock_skew`
 * @see RFC 7523 section 3; OpenID Connect Core section 9
 */
export async function verifyClientAssertion(
  broker: Broker,
  form: ReadonlyMap<string, string>,
): Promise<{ clientId: string; used: UsedProof }> {
  const now = broker.now() / 1000;
  try {
    if (form.get("client_assertion_type") !== clientAssertionType) throw new Error("type");
    const jws = form.get("client_assertion") ?? "";
    const { header, payload } = readCompact(jws);
    parse(assertionHeader, header);
    const claims = parse(assertionPayload, payload);
    const named = form.get("client_id");
    if (claims.iss !== claims.sub) throw new Error("iss");
    if (named !== undefined && named !== claims.sub) throw new Error("client_id");
    const audiences = typeof claims.aud === "string" ? [claims.aud] : claims.aud;
    if (audiences.length !== 1 || audiences[0] !== broker.site.issuer) throw new Error("aud");
    await requireSignature(jws, await keyOf(broker, claims.sub));
    const issuedAt = claims.iat ?? claims.nbf ?? now;
    if (Math.abs(issuedAt - now) > maxClockSkewSeconds) throw new ProtocolError("clock_skew");
    if (claims.exp <= now || claims.exp > now + proofSeconds + maxClockSkewSeconds) {
      throw new Error("exp");
    }
    const used = usedProof("assertion", claims.sub, claims.jti, now);
    return { clientId: claims.sub, used };
  } catch (cause) {
    if (cause instanceof ProtocolError && cause.code === "clock_skew") throw cause;
    if (isUnavailable(cause)) throw cause;
    throw new ProtocolError("invalid_client", { cause, reason: reasonOf(cause) });
  }
}
