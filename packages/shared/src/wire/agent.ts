import * as z from "zod/mini";
import { chainLink } from "../chain.js";
import { deniedDecision } from "../decision.js";
import { evidence } from "../evidence.js";
import { signedFreeze } from "../freeze.js";
import { pairingAcceptance } from "../pairing.js";
import { base64url, bytes32, id, numericDate, storableLabel } from "../schema.js";

/** States of an authorization request (section 4). */
export const requestState = z.enum([
  "pending",
  "approved",
  "denied",
  "canceled",
  "expired",
  "redeemed",
  "reported",
]);
export type RequestState = z.infer<typeof requestState>;

/** `POST /bc-authorize` answers (CIBA 7.3). `auth_req_id` is the request's own id. */
export const backchannelResponse = z.object({
  auth_req_id: id,
  expires_in: z.int(),
  interval: z.int(),
  req_nonce: bytes32,
});

/** `POST /token` answers to the CIBA grant. Only `evidence` means anything to the library. */
export const cibaTokenResponse = z.object({
  access_token: z.string(),
  token_type: z.string(),
  expires_in: z.int(),
  evidence,
});

/** `POST /token` answers to `client_credentials`. */
export const tokenResponse = z.object({
  access_token: z.string(),
  token_type: z.string(),
  expires_in: z.int(),
});

/** RFC 6749 section 5.2; `decision` comes with `access_denied` when a person signed it. */
export const oauthError = z.object({
  error: z.string(),
  error_description: z.optional(z.string()),
  decision: z.optional(deniedDecision),
  /** Comes instead, when a freeze denied it. */
  freeze: z.optional(signedFreeze),
});
export type OAuthError = z.infer<typeof oauthError>;

/** RFC 9457, with the stable code. */
export const problem = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.string(),
});

/** `PUT /v1/contexts/{sealed_sha256}` answers. */
export const contextReceipt = z.object({ sealed_sha256: bytes32, expires_at: numericDate });

/** `GET /v1/requests/{rid}`, and the answer to `cancel` and `outcome`. */
export const requestStatus = z.object({
  rid: id,
  state: requestState,
  req_nonce: bytes32,
  expires_at: numericDate,
  approvals: z.int(),
  quorum: z.int(),
  /** Outcomes reported so far; the next one is `outcomes + 1`. */
  outcomes: z.int(),
});
export type RequestStatus = z.infer<typeof requestStatus>;

/** `POST /v1/requests/{rid}/outcome` takes `{outcome: <compact JWS>}`. */
export const outcomeReport = z.strictObject({ outcome: z.string().check(z.maxLength(20_000)) });

/** `data:` of an event on `GET /v1/events`: a hint; the truth is fetched and verified. */
export const requestHint = z.object({ rid: id, state: requestState });
export type RequestHint = z.infer<typeof requestHint>;

/** `data:` of an event `freeze` on the same stream: this approver froze the agent or lifted it. Fetch the chain. */
export const freezeHint = z.object({ approver: id });

/** `POST /v1/pairings` takes the offer as a compact JWS. */
export const pairingRequest = z.strictObject({ offer: z.string().check(z.maxLength(20_000)) });

export const pairingState = z.enum(["offered", "accepted", "revealed", "live", "ended"]);
export type PairingState = z.infer<typeof pairingState>;

/** `GET /v1/pairings/{id}` and the answers to the calls that change it, as the agent sees them. */
export const agentPairing = z.object({
  pairing_id: bytes32,
  state: pairingState,
  expires_at: numericDate,
  acceptance: z.optional(pairingAcceptance),
});
export type AgentPairing = z.infer<typeof agentPairing>;

/** `POST /v1/pairings/{id}/reveal`: the nonce that the offer committed to. */
export const pairingReveal = z.strictObject({ nonce: base64url.check(z.maxLength(86)) });

/** `GET /v1/approvers/{id}/chain`. */
export const approverChain = z.object({
  approver: id,
  name: storableLabel(80),
  pairing: pairingAcceptance,
  chain: z.array(chainLink),
  /** The approver's latest F for this agent. */
  freeze: z.optional(signedFreeze),
});
export type ApproverChain = z.infer<typeof approverChain>;
