import {
  createRecoveryCode,
  type RecoveryStatement,
  recoveryBytes,
  recoveryChallenge,
  recoveryCodeCount,
  recoveryCodeHash,
  type SignedRecovery,
  type Site,
  signWithDevice,
  toBase64url,
} from "@countersign/shared";
import type { Device } from "../keys/device.js";
import { assertWith } from "../keys/passkey.js";

interface Signer {
  site: Site;
  device: Device;
}

/**
 * Makes new codes, which no one else ever learns, and signs their hashes by passkey and device. Call it straight
 * in a tap's handler.
 * @throws WebAuthnError when the person cancels
 */
export async function makeCodes(
  own: Signer,
  brokerNonce: string,
): Promise<{ codes: string[]; signed: SignedRecovery }> {
  const codes = Array.from({ length: recoveryCodeCount }, createRecoveryCode);
  const bytes = recoveryBytes({
    ...membersOf(own),
    op: "codes",
    code_hashes: codes.map(recoveryCodeHash),
    broker_nonce: brokerNonce,
  });
  const assertion = await assertWith(recoveryChallenge(bytes), own.site.rp_id);
  return { codes, signed: { ...(await signedBy(own, bytes)), assertion } };
}

/** Stops a recovery: the cautious direction takes the device alone. */
export const signStop = (own: Signer, recoveryId: string): Promise<SignedRecovery> =>
  signedBy(own, recoveryBytes({ ...membersOf(own), op: "cancel", recovery_id: recoveryId }));

const membersOf = ({ site, device }: Signer) =>
  ({
    v: 1,
    issuer: site.issuer,
    approver: device.approver,
    device_kid: device.kid,
  }) satisfies Partial<RecoveryStatement>;

async function signedBy(
  { device }: Signer,
  bytes: ReturnType<typeof recoveryBytes>,
): Promise<SignedRecovery> {
  return {
    statement: toBase64url(bytes),
    device_signature: await signWithDevice("recovery", bytes, device.signingKey),
  };
}
