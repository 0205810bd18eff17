import * as z from "zod/mini";
import { chainLink } from "../chain.js";
import { linkedKeys, vouching } from "../link.js";
import { signedRecovery } from "../recovery.js";
import { base64url, bytes32, id, numericDate } from "../schema.js";
import { registration } from "./app.js";

/** The WebAuthn user handle of a passkey that was made before its phone knew the approver's id. */
const userHandle = base64url.check(z.minLength(22), z.maxLength(86));

/** `GET /app/keys`: the signed-in approver's whole chain, which the phone verifies itself. */
export const keyChain = z.object({ chain: z.array(chainLink) });

/**
 * `POST /app/keys` appends one K and answers with the chain's new end. Adding a linked phone's device consumes
 * the link and leaves the vouching there.
 */
export const keyAppend = z.strictObject({
  link: chainLink,
  user_handle: z.optional(userHandle),
  device_link: z.optional(z.strictObject({ link_id: bytes32, vouching })),
});
export type KeyAppend = z.infer<typeof keyAppend>;
export const keyAppended = z.object({ seq: z.int(), head: bytes32 });

/** `POST /app/links`: a new phone, not signed in, leaves its public keys for the old one to fetch. */
export const linkOffer = z.strictObject({
  link_id: bytes32,
  keys: linkedKeys,
  user_handle: z.optional(userHandle),
});
export type LinkOffer = z.infer<typeof linkOffer>;

/** `GET /app/links/{id}?after=offered`: for both phones; the second waits for the vouching. */
export const linkStatus = z.object({
  state: z.enum(["offered", "added"]),
  expires_at: numericDate,
  keys: linkedKeys,
  user_handle: z.optional(userHandle),
  vouching: z.optional(vouching),
});
export type LinkStatus = z.infer<typeof linkStatus>;

/** `PUT /app/agents/{client_id}/freeze` takes F and answers with what holds now. */
export const freezeReceipt = z.object({ op: z.enum(["freeze", "unfreeze"]), seq: z.int() });
export type FreezeReceipt = z.infer<typeof freezeReceipt>;

/** `GET /app/recovery`: how many codes are left, and the recovery that somebody began. */
export const recoveryStatus = z.object({
  codes_left: z.int(),
  pending: z.optional(
    z.object({ recovery_id: id, started_at: numericDate, ready_at: numericDate }),
  ),
});
export type RecoveryStatus = z.infer<typeof recoveryStatus>;

/** `PUT /app/recovery/codes` and `POST /app/recovery/cancel` take R. */
export const recoveryCall = signedRecovery;

/** `POST /app/recoveries`, without a session: begins, or asks again how it stands. */
export const recoveryStart = z.strictObject({ code: z.string().check(z.maxLength(64)) });
export const recoveryStarted = z.object({
  approver: id,
  name: z.string(),
  ready_at: numericDate,
});
export type RecoveryStarted = z.infer<typeof recoveryStarted>;

/** `POST /app/recoveries/completion`: a new passkey and device with a root of their own, and a session. */
export const recoveryCompletion = z.strictObject({
  code: z.string().check(z.maxLength(64)),
  register_nonce: bytes32,
  registration,
  root: chainLink,
});
export type RecoveryCompletion = z.infer<typeof recoveryCompletion>;
