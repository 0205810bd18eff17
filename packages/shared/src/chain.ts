import * as z from "zod/mini";
import { assertion, credential, verifyAssertion } from "./assertion.js";
import { type Bytes, fromBase64url } from "./bytes.js";
import { verifyDeviceSignature } from "./device-key.js";
import { ProtocolError } from "./errors.js";
import { type EcPublicJwk, hash, hashBytes } from "./hash.js";
import { canonicalBytes, parseCanonical } from "./json.js";
import { base64url, bytes32, ecPublicJwk, id, label, parse, signature } from "./schema.js";
import type { Site } from "./site.js";

/** A phone's two public keys; `device_kid` is the thumbprint of `sig_jwk`. */
export const deviceKeys = z.strictObject({ sig_jwk: ecPublicJwk, enc_jwk: ecPublicJwk });
export type DeviceKeys = z.infer<typeof deviceKeys>;

/** K0: the root of an approver's key chain, made at enrolment (section 5). */
export const chainRoot = z.strictObject({
  v: z.literal(1),
  op: z.literal("root"),
  issuer: label(2000),
  rp_id: label(253),
  approver: id,
  seq: z.literal(0),
  subject: z.strictObject({ credential, device: deviceKeys }),
  broker_nonce: bytes32,
});
export type ChainRoot = z.infer<typeof chainRoot>;

/** A link of the chain as it travels: K, an assertion and a device signature over it. One alone never counts. */
export const chainLink = z.strictObject({
  statement: base64url,
  assertion,
  device_signature: signature,
});
export type ChainLink = z.infer<typeof chainLink>;

export function chainRootBytes(parts: {
  site: Site;
  approver: string;
  subject: ChainRoot["subject"];
  brokerNonce: string;
}): Bytes {
  return canonicalBytes({
    v: 1,
    op: "root",
    issuer: parts.site.issuer,
    rp_id: parts.site.rp_id,
    approver: parts.approver,
    seq: 0,
    subject: parts.subject,
    broker_nonce: parts.brokerNonce,
  } satisfies ChainRoot);
}

/** The challenge of a link, which is also its name as `prev` and `head`. */
export const chainHead = (bytes: Uint8Array): string => hash("credential", bytes);
export const chainChallenge = (bytes: Uint8Array): Bytes => hashBytes("credential", bytes);

/**
 * Verifies K0: signed by the very credential and device that it names.
 * @throws ProtocolError `invalid_binding`, `assertion_invalid`, `device_signature_invalid`, and the encoding codes
 */
export async function verifyChainRoot(
  link: ChainLink,
  site: Site,
): Promise<{ root: ChainRoot; head: string }> {
  const bytes = fromBase64url(link.statement);
  const root = parse(chainRoot, parseCanonical(bytes));
  if (root.issuer !== site.issuer || root.rp_id !== site.rp_id) {
    throw new ProtocolError("invalid_binding");
  }
  const head = chainHead(bytes);
  await verifyAssertion(link.assertion, {
    challenge: head,
    origin: site.origin,
    rpId: site.rp_id,
    credential: root.subject.credential,
  });
  const sigJwk: EcPublicJwk = root.subject.device.sig_jwk;
  await verifyDeviceSignature("credential", bytes, link.device_signature, sigJwk);
  return { root, head };
}
