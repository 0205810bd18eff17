import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import * as z from "zod/mini";
import { assertion, credential, verifyAssertion } from "./assertion.js";
import { type Bytes, concat, equalBytes, fromBase64url, toBase64url } from "./bytes.js";
import { deviceKeys } from "./chain.js";
import { verifyDeviceSignature } from "./device-key.js";
import { ProtocolError } from "./errors.js";
import { type EcPublicJwk, hash, hashBytes, thumbprint } from "./hash.js";
import { canonicalBytes, parseCanonical } from "./json.js";
import { parsePayload, signJws, verifyJws } from "./jws.js";
import { parseVkey } from "./log/note.js";
import {
  base64url,
  bytes32,
  ecPublicJwk,
  id,
  label,
  logKey,
  numericDate,
  parse,
  signature,
  storableLabel,
} from "./schema.js";
import type { Site } from "./site.js";

/** A pairing lives this long, in seconds, enforced by the agent itself (section 6). */
export const pairingSeconds = 600;

/** What an agent offers, signed by the key that it offers (section 6, step 2). */
export const pairingOffer = z.strictObject({
  pairing_id: bytes32,
  agent_jwk: ecPublicJwk,
  name: storableLabel(80),
  host: storableLabel(255),
  commit: bytes32,
  iss: bytes32,
  aud: label(2000),
  iat: numericDate,
  exp: numericDate,
});
export type PairingOffer = z.infer<typeof pairingOffer>;

/** P: what the phone signs (section 6, step 3). */
export const pairingStatement = z.strictObject({
  v: z.literal(1),
  pairing_id: bytes32,
  agent_jkt: bytes32,
  agent_name: storableLabel(80),
  agent_host: storableLabel(255),
  commit: bytes32,
  sealed: z.literal(true),
  issuer: label(2000),
  rp_id: label(253),
  origin: label(2000),
  log_key: logKey,
  approver: id,
  credential,
  device: deviceKeys,
  chain: z.strictObject({ seq: z.int().check(z.nonnegative()), head: bytes32 }),
  broker_nonce: bytes32,
  phone_nonce: bytes32,
});
export type PairingStatement = z.infer<typeof pairingStatement>;

/** P as it travels. The mac proves that its maker read the link; only the agent can check it. */
export const pairingAcceptance = z.strictObject({
  statement: base64url,
  assertion,
  device_signature: signature,
  mac: bytes32,
});
export type PairingAcceptance = z.infer<typeof pairingAcceptance>;

export const pairingId = (secret: Uint8Array): string => hash("pairing", secret);
export const nonceCommitment = (nonce: Uint8Array): string => hash("commit", nonce);
export const pairingChallenge = (bytes: Uint8Array): Bytes => hashBytes("pair", bytes);
export const pairingMac = (secret: Uint8Array, bytes: Uint8Array): string =>
  toBase64url(hmac(sha256, secret, bytes));

/** `<origin>/pair#1.<secret>.<agent_jkt>`: the fragment never reaches a server. */
export function pairingLink(origin: string, secret: Uint8Array, agentJkt: string): string {
  return `${origin}/pair#1.${toBase64url(secret)}.${agentJkt}`;
}

/**
 * Reads a pasted or scanned link of this very origin.
 * @throws ProtocolError `pairing_invalid`
 */
export function parsePairingLink(
  text: string,
  origin: string,
): { secret: Bytes; agentJkt: string; pairingId: string } {
  const prefix = `${origin}/pair#1.`;
  const [secretText = "", agentJkt = "", ...rest] = text.trim().slice(prefix.length).split(".");
  const sound =
    text.trim().startsWith(prefix) &&
    rest.length === 0 &&
    z.safeParse(bytes32, secretText).success &&
    z.safeParse(bytes32, agentJkt).success;
  if (!sound) throw new ProtocolError("pairing_invalid");
  const secret = fromBase64url(secretText);
  return { secret, agentJkt, pairingId: pairingId(secret) };
}

export async function signPairingOffer(
  offer: PairingOffer,
  key: { kid: string; privateKey: CryptoKey },
): Promise<string> {
  return signJws(canonicalBytes(offer), "countersign-pairing+jwt", key);
}

/**
 * Verifies an offer under the key that it carries, whose thumbprint must be the expected one: the key
 * certifies the name. The caller checks the clock.
 * @throws ProtocolError `invalid_binding`, and the encoding codes
 */
export async function verifyPairingOffer(
  jws: string,
  expected: { issuer: string; agentJkt?: string; pairingId?: string },
): Promise<PairingOffer> {
  const [, payloadPart = ""] = jws.split(".");
  const offer = parsePayload(pairingOffer, fromBase64url(payloadPart));
  await verifyJws(jws, "countersign-pairing+jwt", offer.agent_jwk);
  const kid = thumbprint(offer.agent_jwk);
  const bound =
    offer.iss === kid &&
    offer.aud === expected.issuer &&
    offer.exp > offer.iat &&
    offer.exp - offer.iat <= pairingSeconds &&
    (expected.agentJkt === undefined || expected.agentJkt === kid) &&
    (expected.pairingId === undefined || expected.pairingId === offer.pairing_id);
  if (!bound) throw new ProtocolError("invalid_binding");
  return offer;
}

/**
 * P as canonical bytes.
 * @param parts `phoneNonce` is made by the phone at the tap and never taken from a server: without it whoever
 *   chooses the rest of P could grind P until the digits of two pairings agree
 */
export function pairingStatementBytes(parts: {
  site: Site;
  offer: PairingOffer;
  logKey: string;
  approver: string;
  credential: PairingStatement["credential"];
  device: PairingStatement["device"];
  chain: PairingStatement["chain"];
  brokerNonce: string;
  phoneNonce: string;
}): Bytes {
  const { site, offer } = parts;
  return canonicalBytes({
    v: 1,
    pairing_id: offer.pairing_id,
    agent_jkt: thumbprint(offer.agent_jwk),
    agent_name: offer.name,
    agent_host: offer.host,
    commit: offer.commit,
    sealed: true,
    issuer: site.issuer,
    rp_id: site.rp_id,
    origin: site.origin,
    log_key: parts.logKey,
    approver: parts.approver,
    credential: parts.credential,
    device: parts.device,
    chain: parts.chain,
    broker_nonce: parts.brokerNonce,
    phone_nonce: parts.phoneNonce,
  } satisfies PairingStatement);
}

/** @throws ProtocolError any code of {@link parseCanonical}, and `unknown_member` */
export function parsePairingStatement(bytes: Uint8Array): PairingStatement {
  return parse(pairingStatement, parseCanonical(bytes));
}

/**
 * Verifies P but for its mac: it answers this offer on this site, and the credential and the device that it
 * names both signed it. The agent also checks the mac by {@link verifyPairingMac}.
 * @throws ProtocolError `invalid_binding`, `log_invalid` (no log's key), `assertion_invalid`,
 *   `device_signature_invalid`, and the encoding codes
 */
export async function verifyPairingStatement(
  acceptance: Omit<PairingAcceptance, "mac">,
  expected: { site: Site; offer: PairingOffer },
): Promise<PairingStatement> {
  const bytes = fromBase64url(acceptance.statement);
  const given = parsePairingStatement(bytes);
  const again = pairingStatementBytes({
    site: expected.site,
    offer: expected.offer,
    logKey: given.log_key,
    approver: given.approver,
    credential: given.credential,
    device: given.device,
    chain: given.chain,
    brokerNonce: given.broker_nonce,
    phoneNonce: given.phone_nonce,
  });
  if (!equalBytes(again, bytes)) throw new ProtocolError("invalid_binding");
  parseVkey(given.log_key);
  await verifyPairingSignatures(given, bytes, acceptance);
  return given;
}

/** The two signatures over P by the keys that P names. For whoever has no offer any more: evidence, audits. */
export async function verifyPairingSignatures(
  given: PairingStatement,
  bytes: Bytes,
  acceptance: Pick<PairingAcceptance, "assertion" | "device_signature">,
): Promise<void> {
  await verifyAssertion(acceptance.assertion, {
    challenge: hash("pair", bytes),
    origin: given.origin,
    rpId: given.rp_id,
    credential: given.credential,
  });
  const sigJwk: EcPublicJwk = given.device.sig_jwk;
  await verifyDeviceSignature("pair", bytes, acceptance.device_signature, sigJwk);
}

/** @throws ProtocolError `pairing_invalid` when P's maker did not hold the secret of the link */
export function verifyPairingMac(acceptance: PairingAcceptance, secret: Uint8Array): void {
  const expected = fromBase64url(pairingMac(secret, fromBase64url(acceptance.statement)));
  if (!equalBytes(expected, fromBase64url(acceptance.mac))) {
    throw new ProtocolError("pairing_invalid");
  }
}

/**
 * The six digits that the person carries from the phone to the terminal (section 6, step 4).
 * @throws ProtocolError `pairing_invalid` when the nonce is not the one committed to in P
 */
export function compareDigits(statementOctets: Uint8Array, nonce: Uint8Array): string {
  const { commit } = parsePairingStatement(statementOctets);
  if (nonceCommitment(nonce) !== commit) throw new ProtocolError("pairing_invalid");
  const digest = hashBytes("compare", concat(statementOctets, nonce));
  const number = new DataView(digest.buffer).getBigUint64(0) % 1_000_000n;
  return number.toString().padStart(6, "0");
}
