import * as z from "zod/mini";
import { assertion, type Credential, verifyAssertion } from "./assertion.js";
import { type Bytes, fromBase64url } from "./bytes.js";
import type { DeviceKeys } from "./chain.js";
import { verifyByOneOf } from "./chain-verify.js";
import { verifyDeviceSignature } from "./device-key.js";
import { ProtocolError } from "./errors.js";
import { hash, hashBytes, thumbprint } from "./hash.js";
import { canonicalBytes, parseCanonical } from "./json.js";
import { base64url, bytes32, id, label, parse, signature } from "./schema.js";
import type { Site } from "./site.js";

const members = {
  v: z.literal(1),
  issuer: label(2000),
  approver: id,
  agent_jkt: bytes32,
  /** Counts per approver and agent, from 1. */
  seq: z.int().check(z.minimum(1), z.maximum(1_000_000)),
  device_kid: bytes32,
};

/** F: one approver stops an agent, or lets it go on (section 3, object 9). */
export const freeze = z.discriminatedUnion("op", [
  z.strictObject({ ...members, op: z.literal("freeze") }),
  z.strictObject({ ...members, op: z.literal("unfreeze"), broker_nonce: bytes32 }),
]);
export type Freeze = z.infer<typeof freeze>;

/** F as it travels. Stopping takes the device alone; lifting takes Face ID too. */
export const signedFreeze = z.strictObject({
  statement: base64url,
  device_signature: signature,
  assertion: z.optional(assertion),
});
export type SignedFreeze = z.infer<typeof signedFreeze>;

/** F as canonical bytes. @param brokerNonce of the ceremony that lifts; without it, F freezes */
export function freezeBytes(parts: {
  issuer: string;
  approver: string;
  agentJkt: string;
  seq: number;
  deviceKid: string;
  brokerNonce?: string | undefined;
}): Bytes {
  const { brokerNonce } = parts;
  return canonicalBytes({
    v: 1,
    op: brokerNonce === undefined ? "freeze" : "unfreeze",
    issuer: parts.issuer,
    approver: parts.approver,
    agent_jkt: parts.agentJkt,
    seq: parts.seq,
    device_kid: parts.deviceKid,
    ...(brokerNonce === undefined ? {} : { broker_nonce: brokerNonce }),
  });
}

export const freezeChallenge = (bytes: Uint8Array): Bytes => hashBytes("freeze", bytes);

/** @throws ProtocolError any code of {@link parseCanonical}, and `unknown_member` */
export const parseFreeze = (given: SignedFreeze): Freeze =>
  parse(freeze, parseCanonical(fromBase64url(given.statement)));

/**
 * Verifies F: it names this approver and this agent, a device held for that approver signed it, and where it lifts,
 * a credential held for them did so too.
 * @throws ProtocolError `invalid_binding`, `device_unknown`, `device_signature_invalid`, `credential_unknown`,
 *   `assertion_invalid`, `freeze_invalid` (an assertion missing, or one too many), and the encoding codes
 */
export async function verifyFreeze(
  given: SignedFreeze,
  expected: { site: Site; approver: string; agentJkt: string },
  keys: { credentials: readonly Credential[]; devices: readonly DeviceKeys[] },
  verify: typeof verifyAssertion = verifyAssertion,
): Promise<Freeze> {
  const bytes = fromBase64url(given.statement);
  const statement = parseFreeze(given);
  const bound =
    statement.issuer === expected.site.issuer &&
    statement.approver === expected.approver &&
    statement.agent_jkt === expected.agentJkt;
  if (!bound) throw new ProtocolError("invalid_binding");
  const device = keys.devices.find(({ sig_jwk }) => thumbprint(sig_jwk) === statement.device_kid);
  if (!device) throw new ProtocolError("device_unknown");
  await verifyDeviceSignature("freeze", bytes, given.device_signature, device.sig_jwk);
  if ((statement.op === "unfreeze") !== (given.assertion !== undefined)) {
    throw new ProtocolError("freeze_invalid");
  }
  if (given.assertion) {
    const signed = { challenge: hash("freeze", bytes), site: expected.site };
    await verifyByOneOf(given.assertion, signed, keys.credentials, verify);
  }
  return statement;
}
