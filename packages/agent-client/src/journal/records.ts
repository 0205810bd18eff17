import { base64url, bytes32, id, label, numericDate, outcomeStatus } from "@countersign/shared";
import * as z from "zod/mini";
import { processIdentity } from "./process.js";

/** What waiting for an answer after a restart needs. */
export const requestRecord = z.strictObject({
  v: z.literal(1),
  rid: id,
  manifest: base64url,
  /** AR, the compact JWS. */
  request: label(20_000),
  req_nonce: bytes32,
});
export type RequestRecord = z.infer<typeof requestRecord>;

/** An answer that opens no effect, for good. */
export const finalRecord = z.strictObject({
  v: z.literal(1),
  kind: z.literal("final"),
  status: z.enum(["denied", "frozen", "expired", "canceled", "unreachable", "integrity_mismatch"]),
  code: z.optional(label(128)),
  approver: z.optional(id),
  reason: z.optional(label(500)),
  settled_at: numericDate,
});
export type FinalRecord = z.infer<typeof finalRecord>;

/** From here on the approval is used, whatever happens (protocol section 5, step 5). */
export const claimRecord = z.strictObject({
  v: z.literal(1),
  kind: z.literal("claim"),
  holder: processIdentity,
  claimed_at: numericDate,
});

export const settlement = z.discriminatedUnion("kind", [finalRecord, claimRecord]);
export type Settlement = z.infer<typeof settlement>;

/** What became of a claimed approval: the signed outcome as it is sent to the broker, again if need be. */
export const outcomeRecord = z.strictObject({
  v: z.literal(1),
  n: z.int().check(z.minimum(1), z.maximum(1000)),
  status: outcomeStatus,
  code: z.optional(label(64)),
  outcome: label(20_000),
});
export type OutcomeRecord = z.infer<typeof outcomeRecord>;
