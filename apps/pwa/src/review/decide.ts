import {
  type Approval,
  type Assertion,
  type Bytes,
  type Ceremony,
  type DeniedDecision,
  denialBytes,
  hashBytes,
  type Site,
  signWithDevice,
  statementBytes,
  type Tree,
  toBase64url,
} from "@countersign/shared";
import type { Device } from "../keys/device.js";
import { assertWith } from "../keys/passkey.js";
import type { Verified } from "./verify.js";

/**
 * Approves what was verified and shown, and nothing else: S is made here from those very objects.
 * Call it straight in a tap's handler: up to the passkey's dialogue nothing is awaited.
 * @throws WebAuthnError when the person cancels
 * @see protocol section 3, object 8
 */
export async function approve(
  verified: Verified,
  ceremony: Ceremony,
  own: { site: Site; device: Device; reqNonce: string; tree: Tree | undefined },
): Promise<Approval> {
  const { site, device, reqNonce, tree } = own;
  const statement = statementBytes(
    { site, request: verified.request, viewHash: verified.viewHash, reqNonce },
    {
      cid: ceremony.cid,
      brokerNonce: ceremony.broker_nonce,
      approver: device.approver,
      deviceKid: device.kid,
      checkpoint: tree,
    },
  );
  const challenge = hashBytes("approve", statement);
  const assertion = await assertWith(challenge, site.rp_id, ceremony.credential_ids);
  return approvalOf(statement, assertion, device);
}

/** The device signs after the passkey: Safari gives a tap's permission to the first call only. */
async function approvalOf(
  statement: Bytes,
  assertion: Assertion,
  device: Device,
): Promise<Approval> {
  return {
    decision: "approve",
    statement: toBase64url(statement),
    assertion,
    device_signature: await signWithDevice("approve", statement, device.signingKey),
  };
}

/** Denies a request, by the device alone: it needs no passkey and no opened context. */
export async function deny(
  parts: { rid: string; agentJkt: string; reason: string },
  own: { site: Site; device: Device },
): Promise<DeniedDecision> {
  const reason = parts.reason.toWellFormed().trim();
  const statement = denialBytes({
    issuer: own.site.issuer,
    approver: own.device.approver,
    rid: parts.rid,
    agentJkt: parts.agentJkt,
    deviceKid: own.device.kid,
    reason: reason === "" ? undefined : reason,
  });
  return {
    decision: "deny",
    statement: toBase64url(statement),
    device_signature: await signWithDevice("deny", statement, own.device.signingKey),
  };
}
