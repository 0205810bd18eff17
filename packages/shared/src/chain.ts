import * as z from "zod/mini";
import { assertion, credential, verifyAssertion } from "./assertion.js";
import { type Bytes, fromBase64url } from "./bytes.js";
import { verifyDeviceSignature } from "./device-key.js";
import { ProtocolError } from "./errors.js";
import { type EcPublicJwk, hash, hashBytes } from "./hash.js";
import { canonicalBytes, parseCanonical } from "./json.js";
import {
  base64url,
  bytes32,
  credentialId,
  ecPublicJwk,
  id,
  label,
  parse,
  signature,
} from "./schema.js";
import type { Site } from "./site.js";

/** A phone's two public keys; `device_kid` is the thumbprint of `sig_jwk`. */
export const deviceKeys = z.strictObject({ sig_jwk: ecPublicJwk, enc_jwk: ecPublicJwk });
export type DeviceKeys = z.infer<typeof deviceKeys>;

/** Whoever changes keys more often than this enrols anew: everybody verifies a chain as a whole. */
export const maxChainSeq = 127;

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

const keyStatementMembers = {
  v: z.literal(1),
  issuer: label(2000),
  rp_id: label(253),
  approver: id,
  seq: z.int().check(z.minimum(1), z.maximum(maxChainSeq)),
  prev: bytes32,
  broker_nonce: bytes32,
};

/** K: a later link, which adds one credential or one device, or revokes one by its name (section 5). */
export const keyStatement = z.discriminatedUnion("op", [
  z.strictObject({
    ...keyStatementMembers,
    op: z.literal("add"),
    subject: z.union([z.strictObject({ credential }), z.strictObject({ device: deviceKeys })]),
  }),
  z.strictObject({
    ...keyStatementMembers,
    op: z.literal("revoke"),
    subject: z.union([
      z.strictObject({ credential_id: credentialId }),
      z.strictObject({ device_kid: bytes32 }),
    ]),
  }),
]);
export type KeyStatement = z.infer<typeof keyStatement>;
/** What a K does to which key. */
export type KeyChange =
  | Pick<Extract<KeyStatement, { op: "add" }>, "op" | "subject">
  | Pick<Extract<KeyStatement, { op: "revoke" }>, "op" | "subject">;

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

/** K as canonical bytes. The phone makes it from what it verified itself; the server gives a nonce and nothing else. */
export function keyStatementBytes(parts: {
  site: Site;
  approver: string;
  /** The head of the chain that it continues. */
  after: ChainHead;
  change: KeyChange;
  brokerNonce: string;
}): Bytes {
  return canonicalBytes({
    v: 1,
    op: parts.change.op,
    issuer: parts.site.issuer,
    rp_id: parts.site.rp_id,
    approver: parts.approver,
    seq: parts.after.seq + 1,
    prev: parts.after.head,
    subject: parts.change.subject,
    broker_nonce: parts.brokerNonce,
  });
}

/** @throws ProtocolError any code of {@link parseCanonical}, and `unknown_member` */
export function parseKeyStatement(bytes: Uint8Array): KeyStatement {
  return parse(keyStatement, parseCanonical(bytes));
}

/** What a link is signed for: the kind of key that it is about. A root is about a credential first. */
export type KeyPurpose = "credential" | "device";
export const keyPurpose = ({ subject }: KeyChange): KeyPurpose =>
  "device" in subject || "device_kid" in subject ? "device" : "credential";

/** A place in a chain: how far it goes, and the name of the link there. */
export const chainPosition = z.strictObject({
  seq: z.int().check(z.nonnegative(), z.maximum(maxChainSeq)),
  head: bytes32,
});
export type ChainHead = z.infer<typeof chainPosition>;

/** The challenge of a link, which is also its name as `prev` and `head`. */
export const chainHead = (bytes: Uint8Array, purpose: KeyPurpose = "credential"): string =>
  hash(purpose, bytes);
export const chainChallenge = (bytes: Uint8Array, purpose: KeyPurpose = "credential"): Bytes =>
  hashBytes(purpose, bytes);

/**
 * Verifies K0: signed by the very credential and device that it names.
 * @throws ProtocolError `invalid_binding`, `assertion_invalid`, `device_signature_invalid`, and the encoding codes
 */
export async function verifyChainRoot(
  link: ChainLink,
  site: Site,
  verify: typeof verifyAssertion = verifyAssertion,
): Promise<{ root: ChainRoot; head: string }> {
  const bytes = fromBase64url(link.statement);
  const root = parse(chainRoot, parseCanonical(bytes));
  if (root.issuer !== site.issuer || root.rp_id !== site.rp_id) {
    throw new ProtocolError("invalid_binding");
  }
  const head = chainHead(bytes);
  await verify(link.assertion, {
    challenge: head,
    origin: site.origin,
    rpId: site.rp_id,
    credential: root.subject.credential,
  });
  const sigJwk: EcPublicJwk = root.subject.device.sig_jwk;
  await verifyDeviceSignature("credential", bytes, link.device_signature, sigJwk);
  return { root, head };
}
