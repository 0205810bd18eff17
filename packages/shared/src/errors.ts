/**
 * One table of every refusal that crosses the wire: stable code -> HTTP status and title.
 * Titles tell the user what to do next and tell an attacker nothing.
 */
export const errorTable = {
  // Encoding (protocol section 2)
  invalid_encoding: [400, "The data is not valid UTF-8 or base64url without padding."],
  invalid_json: [400, "The data is not strict JSON: duplicate members or malformed text."],
  not_canonical: [400, "The JSON is not in canonical form (RFC 8785)."],
  too_deep: [400, "The JSON is nested more than 32 levels deep."],
  number_not_exact: [400, "A number cannot be represented exactly. Send it as a string."],
  forbidden_member: [400, "A member name is not allowed here."],
  unknown_member: [400, "A member is missing, unknown or of the wrong type."],
  unsupported_algorithm: [400, "The algorithm or type of a signed object is not supported."],

  // Requests
  invalid_request: [400, "The request is malformed. Check it against the protocol."],
  invalid_binding: [400, "The statement does not belong to this request."],
  invalid_client: [401, "The agent is not paired, or its authentication failed. Pair it again."],
  invalid_dpop_proof: [401, "The DPoP proof is missing, stale or not for this call."],
  invalid_token: [401, "The access token is missing or expired. Ask for a new one."],
  unauthenticated: [401, "Sign in again."],
  auditor_required: [
    401,
    "An auditor's token is missing or was taken back. Ask whoever runs this server.",
  ],
  cross_site: [403, "This call must come from the app itself."],
  forbidden: [403, "This is not yours to do."],
  not_found: [404, "Nothing here, or nothing that is yours."],
  method_not_allowed: [405, "This method is not allowed here."],
  too_large: [413, "The body is larger than allowed."],
  unsupported_media_type: [415, "The body has another content type than this call takes."],
  slow_down: [429, "Too many calls. Wait before trying again."],
  too_many_pending: [429, "This agent already has as many pending requests as it may."],
  clock_skew: [
    400,
    "The agent's clock is off. Correct it; the server's time is in the Date header.",
  ],
  wrong_host: [421, "This server answers under its public URL only."],

  // Lifecycle (protocol section 4)
  already_settled: [409, "This request has already been answered."],
  conflict: [409, "Something else was already stored under this id."],
  expired: [410, "The time for this has run out."],
  not_redeemed: [409, "The request has not been redeemed."],
  outcome_out_of_order: [409, "An outcome with another number is expected next."],
  context_missing: [400, "Upload the sealed context before the request that names it."],
  renderer_unsupported: [400, "This renderer version is not supported. Update the agent."],

  authorization_pending: [400, "Nobody has answered yet. Ask again."],
  poll_replaced: [400, "Another poll for this request took the place of this one."],
  denied: [400, "An approver denied the request."],
  canceled: [400, "The request was withdrawn."],

  // Ceremonies
  ceremony_stale: [409, "This review was opened anew or has run out. Open the request again."],
  nonce_stale: [409, "This took too long. Start again."],
  assertion_invalid: [403, "The passkey's answer could not be verified."],
  registration_invalid: [403, "The new passkey could not be verified. Try again."],
  device_signature_invalid: [403, "This device's signature could not be verified."],
  device_unknown: [403, "This device is not enrolled. It can look but not decide."],
  credential_unknown: [403, "This passkey is not known here."],
  invitation_invalid: [403, "This invitation was used or has run out. Ask for a new one."],
  pairing_invalid: [403, "The pairing could not be verified. Start again at the agent."],
  pairing_stale: [409, "This pairing was already used or has run out. Start again at the agent."],

  // Keys, freezes, recovery
  chain_invalid: [403, "The key chain could not be verified."],
  chain_fork: [409, "The key chain is not the one that was seen before."],
  chain_rolled_back: [409, "The key chain is shorter than the one that was seen before."],
  chain_stale: [409, "Your devices and passkeys changed meanwhile. Look again, then repeat it."],
  last_key: [409, "The last device and the last passkey stay. Add another one first."],
  too_many_keys: [409, "There are as many keys as an account may have. Remove one first."],
  link_invalid: [403, "This link does not belong to the phone that shows it. Start again there."],
  link_stale: [410, "This link was used or has run out. Make a new one on the new phone."],
  frozen: [403, "An approver has frozen this agent. Only they can lift it."],
  freeze_invalid: [403, "The freeze could not be verified."],
  freeze_rolled_back: [409, "The freeze is older than the one that was seen before."],
  freeze_stale: [409, "This was frozen or lifted already. Look again."],
  recovery_invalid: [403, "This recovery code was used, replaced or mistyped."],
  recovery_waiting: [409, "A recovery is under way. It takes effect 24 hours after its start."],

  // The log
  log_invalid: [403, "The log's proof could not be verified."],
  log_fork: [409, "The server's log contradicts what it showed before. Tell its operator."],
  log_rolled_back: [409, "The server's log is shorter than it was before. Tell its operator."],

  // Web push
  push_endpoint_refused: [
    403,
    "This browser's push service is not on the server's list. Ask its operator to add it.",
  ],

  // The server
  unavailable: [503, "The server cannot answer right now. Nothing was changed; try again."],
  internal: [500, "Something went wrong on the server. Nothing was approved."],
} as const satisfies Record<string, readonly [status: number, title: string]>;

export type ErrorCode = keyof typeof errorTable;

/**
 * A refusal with a stable code. The code is the API; the message is for people; the reason stays inside
 * (logs and tests), since it would tell an attacker which check stopped it.
 */
export class ProtocolError extends Error {
  override readonly name = "ProtocolError";
  readonly code: ErrorCode;
  readonly reason: string | undefined;

  constructor(code: ErrorCode, options?: { cause?: unknown; reason?: string }) {
    super(errorTable[code][1], { cause: options?.cause });
    this.code = code;
    this.reason = options?.reason;
  }
}
