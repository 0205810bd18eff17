import * as z from "zod/mini";
import { concat, fromBase64url } from "./bytes.js";
import { type EcPublicJwk, hash } from "./hash.js";
import { canonicalBytes } from "./json.js";
import { parsePayload, signJws, verifyJws } from "./jws.js";
import { bytes32, id, label, numericDate } from "./schema.js";

export const outcomeStatus = z.enum(["succeeded", "failed", "rolled_back", "unknown"]);
export type OutcomeStatus = z.infer<typeof outcomeStatus>;

/** What became of an approved action, by the agent's key (section 3, object 11). `n` counts from 1 without a gap. */
export const outcome = z.strictObject({
  rid: id,
  ar_hash: bytes32,
  ctx: bytes32,
  n: z.int().check(z.minimum(1), z.maximum(1000)),
  status: outcomeStatus,
  code: z.optional(label(64)),
  started_at: numericDate,
  ended_at: numericDate,
  result_hash: z.optional(bytes32),
  /** Of the sealed after-picture's octets. */
  sealed_sha256: z.optional(bytes32),
});
export type Outcome = z.infer<typeof outcome>;

export async function signOutcome(
  claims: Outcome,
  key: { kid: string; privateKey: CryptoKey },
): Promise<string> {
  return signJws(canonicalBytes(claims), "countersign-outcome+jwt", key);
}

/** @throws ProtocolError `invalid_binding`, `unknown_member`, and the encoding codes */
export async function verifyOutcome(jws: string, agentJwk: EcPublicJwk): Promise<Outcome> {
  return parsePayload(outcome, await verifyJws(jws, "countersign-outcome+jwt", agentJwk));
}

/** The salt keeps whoever knows the hash from guessing the result. */
export const resultHash = (salt: string, result: Uint8Array): string =>
  hash("result", concat(fromBase64url(salt), result));
