import * as z from "zod/mini";
import { verifyEs256 } from "#es256";
import { type Bytes, concat, equalBytes, fromBase64url, utf8 } from "./bytes.js";
import { ProtocolError } from "./errors.js";
import { sha256Bytes } from "./hash.js";
import { parseStrict } from "./json.js";
import { base64url, credentialId, ecPublicJwk, parse } from "./schema.js";

/** An authenticator's answer: the members of AuthenticationResponseJSON that carry it (WebAuthn L3, 5.1). */
export const assertion = z.strictObject({
  id: credentialId,
  response: z.strictObject({
    clientDataJSON: base64url,
    authenticatorData: base64url,
    signature: base64url,
    userHandle: z.optional(base64url),
  }),
});
export type Assertion = z.infer<typeof assertion>;

/** A passkey's public half and its backup eligibility, which never changes (WebAuthn L3, 6.1.3). */
export const credential = z.strictObject({ id: credentialId, jwk: ecPublicJwk, be: z.boolean() });
export type Credential = z.infer<typeof credential>;

/** Why an assertion was refused. Stays inside; outside it is `assertion_invalid`. */
export type AssertionRefusal =
  | "credential"
  | "client_data"
  | "type"
  | "challenge"
  | "origin"
  | "cross_origin"
  | "authenticator_data"
  | "rp_id"
  | "user_presence"
  | "user_verification"
  | "backup_eligibility"
  | "signature";

export interface AssertionExpectation {
  challenge: string;
  origin: string;
  rpId: string;
  credential: Credential;
}

const clientData = z.object({
  type: z.string(),
  challenge: z.string(),
  origin: z.string(),
  crossOrigin: z.optional(z.boolean()),
  topOrigin: z.optional(z.unknown()),
  // Nothing uses it any more; who sends it has to send it well-formed (WebAuthn L3, 5.8.1).
  tokenBinding: z.optional(z.object({ status: z.enum(["present", "supported", "notSupported"]) })),
});

/**
 * Verifies an assertion as the agent, the phone and the broker must agree on it.
 * Stricter than the standard: no cross-origin use at all, user verification always.
 * @throws ProtocolError `assertion_invalid` with an {@link AssertionRefusal} as its `reason`
 * @see WebAuthn L3 section 7.2
 */
export async function verifyAssertion(
  given: Assertion,
  expected: AssertionExpectation,
): Promise<void> {
  const { signed, signature } = checkAssertion(given, expected);
  if (!(await verifyEs256(expected.credential.jwk, signature, signed))) throw refused("signature");
}

/** All but the signature itself. @returns r || s and what it is over */
function checkAssertion(
  given: Assertion,
  expected: AssertionExpectation,
): { signed: Bytes; signature: Bytes } {
  if (given.id !== expected.credential.id) throw refused("credential");
  const clientDataBytes = fromBase64url(given.response.clientDataJSON);
  checkClientData(clientDataBytes, expected);
  const authenticatorData = fromBase64url(given.response.authenticatorData);
  checkAuthenticatorData(authenticatorData, expected);
  // 7.2 steps 23 and 24: the signature is over authData || SHA-256(clientDataJSON).
  const signed = concat(authenticatorData, sha256Bytes(clientDataBytes));
  const signature = derToRaw(fromBase64url(given.response.signature));
  if (!signature) throw refused("signature");
  return { signed, signature };
}

function checkClientData(bytes: Bytes, expected: AssertionExpectation): void {
  const { type, challenge, origin, crossOrigin, topOrigin } = readClientData(bytes);
  if (type !== "webauthn.get") throw refused("type"); // 7.2 step 10
  if (challenge !== expected.challenge) throw refused("challenge"); // step 11
  if (origin !== expected.origin) throw refused("origin"); // step 12
  // Steps 13 and 14 allow framing where a relying party expects it; this one never does.
  if (crossOrigin === true || topOrigin !== undefined) throw refused("cross_origin");
}

function readClientData(bytes: Bytes): z.infer<typeof clientData> {
  try {
    return parse(clientData, parseStrict(bytes));
  } catch (cause) {
    throw refused("client_data", cause);
  }
}

const flags = { userPresent: 0x01, userVerified: 0x04, backupEligible: 0x08, backedUp: 0x10 };
const minimumLength = 37;

function checkAuthenticatorData(bytes: Bytes, expected: AssertionExpectation): void {
  if (bytes.length < minimumLength) throw refused("authenticator_data");
  if (!equalBytes(bytes.subarray(0, 32), sha256Bytes(utf8(expected.rpId)))) throw refused("rp_id"); // step 15
  const set = bytes[32] as number;
  if (!(set & flags.userPresent)) throw refused("user_presence"); // step 16
  if (!(set & flags.userVerified)) throw refused("user_verification"); // step 17
  const backupEligible = (set & flags.backupEligible) !== 0;
  // Step 18: BS without BE is malformed. Step 19: eligibility is fixed for a credential's life.
  if (!backupEligible && set & flags.backedUp) throw refused("backup_eligibility");
  if (backupEligible !== expected.credential.be) throw refused("backup_eligibility");
}

/**
 * The r || s that WebCrypto takes, from strict DER; null where the encoding is not the one canonical DER.
 * @see WebAuthn L3 section 6.5.5; X.690 section 8.3
 */
function derToRaw(der: Bytes): Bytes | null {
  if (der[0] !== 0x30 || der[1] !== der.length - 2) return null;
  const r = readInteger(der, 2);
  if (!r) return null;
  const s = readInteger(der, r.end);
  if (!s || s.end !== der.length) return null;
  return concat(r.value, s.value);
}

/** An integer that leads past the end has one there that nothing follows and that is not the whole's. */
function readInteger(der: Bytes, start: number): { value: Bytes; end: number } | null {
  if (der[start] !== 0x02) return null;
  const end = start + 2 + (der[start + 1] ?? 0);
  const octets = der.subarray(start + 2, end);
  const [first = 0, second = 0] = octets;
  const negative = (first & 0x80) !== 0;
  // A zero as well, and nothing at all: neither is part of a signature.
  const padded = first === 0 && (second & 0x80) === 0;
  if (negative || padded) return null;
  const magnitude = first === 0 ? octets.subarray(1) : octets;
  if (magnitude.length > 32) return null;
  const value = new Uint8Array(32);
  value.set(magnitude, 32 - magnitude.length);
  return { value, end };
}

function refused(reason: AssertionRefusal, cause?: unknown): ProtocolError {
  return new ProtocolError("assertion_invalid", { reason, cause });
}

/** Backup eligibility and sign counter of an authenticator's answer, for whoever stores a credential. */
export function readAuthenticatorData(authenticatorData: string): { be: boolean; counter: number } {
  const bytes = fromBase64url(authenticatorData);
  if (bytes.length < minimumLength) throw refused("authenticator_data");
  const view = new DataView(bytes.buffer);
  return {
    be: (view.getUint8(32) & flags.backupEligible) !== 0,
    counter: view.getUint32(33),
  };
}
