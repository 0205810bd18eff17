import * as z from "zod/mini";
import { assertion, type Credential, verifyAssertion } from "./assertion.js";
import { type Bytes, fromBase64url, randomBytes, utf8 } from "./bytes.js";
import type { DeviceKeys } from "./chain.js";
import { verifyByOneOf } from "./chain-verify.js";
import { verifyDeviceSignature } from "./device-key.js";
import { ProtocolError } from "./errors.js";
import { hash, hashBytes, thumbprint } from "./hash.js";
import { canonicalBytes, parseCanonical } from "./json.js";
import { base64url, bytes32, id, label, parse, signature } from "./schema.js";
import type { Site } from "./site.js";

/** Codes made at a time; making new ones ends the old ones. */
export const recoveryCodeCount = 10;

const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** One code of 100 random bits, `XXXXX-XXXXX-XXXXX-XXXXX`. The phone makes them; the server learns their hashes. */
export function createRecoveryCode(): string {
  const characters = Array.from(randomBytes(20), (byte) => crockford[byte & 31]).join("");
  return characters.replace(/(.{5})(?=.)/g, "$1-");
}

/**
 * The hash that a code is known by, however it was typed.
 * @throws ProtocolError `recovery_invalid` for what is no code
 */
export function recoveryCodeHash(typed: string): string {
  const code = typed
    .toUpperCase()
    .replaceAll(/[\s-]/g, "")
    .replaceAll("O", "0")
    .replaceAll(/[IL]/g, "1");
  if (!/^[0-9A-HJKMNP-TV-Z]{20}$/.test(code)) throw new ProtocolError("recovery_invalid");
  return hash("recovery_code", utf8(code));
}

const members = { v: z.literal(1), issuer: label(2000), approver: id, device_kid: bytes32 };

/** R: an approver makes new recovery codes, or stops a recovery that is under way. */
export const recoveryStatement = z.discriminatedUnion("op", [
  z.strictObject({
    ...members,
    op: z.literal("codes"),
    code_hashes: z.array(bytes32).check(z.length(recoveryCodeCount)),
    broker_nonce: bytes32,
  }),
  z.strictObject({ ...members, op: z.literal("cancel"), recovery_id: id }),
]);
export type RecoveryStatement = z.infer<typeof recoveryStatement>;

/** R as it travels. Codes take Face ID; stopping, which is the cautious direction, the device alone. */
export const signedRecovery = z.strictObject({
  statement: base64url,
  device_signature: signature,
  assertion: z.optional(assertion),
});
export type SignedRecovery = z.infer<typeof signedRecovery>;

export const recoveryBytes = (statement: RecoveryStatement): Bytes => canonicalBytes(statement);
export const recoveryChallenge = (bytes: Uint8Array): Bytes => hashBytes("recovery", bytes);

/**
 * Verifies R by the live keys of its approver.
 * @throws ProtocolError `invalid_binding`, `device_unknown`, `device_signature_invalid`, `credential_unknown`,
 *   `assertion_invalid`, and the encoding codes
 */
export async function verifyRecovery(
  given: SignedRecovery,
  expected: { site: Site; approver: string },
  keys: { credentials: readonly Credential[]; devices: readonly DeviceKeys[] },
  verify: typeof verifyAssertion = verifyAssertion,
): Promise<RecoveryStatement> {
  const bytes = fromBase64url(given.statement);
  const statement = parse(recoveryStatement, parseCanonical(bytes));
  const bound =
    statement.issuer === expected.site.issuer &&
    statement.approver === expected.approver &&
    (statement.op === "codes") === (given.assertion !== undefined);
  if (!bound) throw new ProtocolError("invalid_binding");
  const device = keys.devices.find(({ sig_jwk }) => thumbprint(sig_jwk) === statement.device_kid);
  if (!device) throw new ProtocolError("device_unknown");
  await verifyDeviceSignature("recovery", bytes, given.device_signature, device.sig_jwk);
  if (given.assertion) {
    const signed = { challenge: hash("recovery", bytes), site: expected.site };
    await verifyByOneOf(given.assertion, signed, keys.credentials, verify);
  }
  return statement;
}
