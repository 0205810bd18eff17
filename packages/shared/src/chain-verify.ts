import { type Assertion, type Credential, verifyAssertion } from "./assertion.js";
import { type Bytes, fromBase64url } from "./bytes.js";
import {
  type ChainHead,
  type ChainLink,
  chainHead,
  type DeviceKeys,
  type KeyPurpose,
  type KeyStatement,
  keyPurpose,
  parseKeyStatement,
  verifyChainRoot,
} from "./chain.js";
import { verifyDeviceSignature } from "./device-key.js";
import { ProtocolError } from "./errors.js";
import { thumbprint } from "./hash.js";
import type { Site } from "./site.js";

/** Live keys of one kind that an approver may have: every request is sealed for each of them. */
export const maxLiveKeys = 8;

/** Credentials and devices that count, at some place in a chain. */
export interface LiveKeys {
  credentials: readonly Credential[];
  devices: readonly DeviceKeys[];
}

/** A later link after its verification: what it did, and by which two keys. */
export interface VerifiedLink extends ChainHead {
  statement: KeyStatement;
  signedBy: { credentialId: string; deviceKid: string };
}

/** An approver's whole chain after its verification. */
export interface VerifiedChain extends ChainHead {
  approver: string;
  root: LiveKeys;
  links: readonly VerifiedLink[];
  /** The name of every link, by its `seq`. */
  heads: readonly string[];
  live: LiveKeys;
  /** Every device that was ever in it: a freeze by one of them stays good. */
  everyDevice: readonly DeviceKeys[];
}

export interface ChainExpectation {
  site: Site;
  approver: string;
  /** Places that the verifier saw before, or was told by a key it trusts: the chain has to go through them. */
  seen?: readonly ChainHead[];
}

/**
 * Verifies a key chain from its root: the links, no gap in `seq`, each signed by a credential and a device that
 * were live just before it, no key twice, and at least one of each kind left.
 * Who may add keys *at an agent* is narrower: see {@link pinnedKeys}.
 * @throws ProtocolError `chain_invalid`, `chain_fork`, `chain_rolled_back`, `last_key`, `too_many_keys`,
 *   `assertion_invalid`, `device_signature_invalid`, `invalid_binding`, and the encoding codes
 * @see protocol section 5, "Keys change only by the chain"
 */
export async function verifyChain(
  links: readonly ChainLink[],
  expected: ChainExpectation,
  verify: typeof verifyAssertion = verifyAssertion,
): Promise<VerifiedChain> {
  const [first, ...later] = links;
  if (!first) throw invalid("root");
  const { root, head } = await verifyChainRoot(first, expected.site, verify);
  if (root.approver !== expected.approver) throw invalid("approver");
  const rootKeys: LiveKeys = {
    credentials: [root.subject.credential],
    devices: [root.subject.device],
  };
  let chain: VerifiedChain = {
    approver: root.approver,
    seq: 0,
    head,
    root: rootKeys,
    links: [],
    heads: [head],
    live: rootKeys,
    everyDevice: rootKeys.devices,
  };
  const used = new Set(namesOf(rootKeys));
  for (const link of later) {
    chain = await extendChain(chain, link, expected.site, used, verify);
  }
  for (const { seq, head: seen } of expected.seen ?? []) {
    if (chain.heads[seq] === undefined) throw new ProtocolError("chain_rolled_back");
    if (chain.heads[seq] !== seen) throw new ProtocolError("chain_fork");
  }
  return chain;
}

async function extendChain(
  chain: VerifiedChain,
  link: ChainLink,
  site: Site,
  used: Set<string>,
  verify: typeof verifyAssertion,
): Promise<VerifiedChain> {
  const bytes = fromBase64url(link.statement);
  const statement = parseKeyStatement(bytes);
  if (statement.issuer !== site.issuer || statement.rp_id !== site.rp_id) {
    throw new ProtocolError("invalid_binding");
  }
  if (statement.approver !== chain.approver) throw invalid("approver");
  if (statement.seq !== chain.seq + 1) throw invalid("gap");
  if (statement.prev !== chain.head) throw invalid("prev");
  const purpose = keyPurpose(statement);
  const head = chainHead(bytes, purpose);
  const deviceKid = await signerOf(chain.live, { link, bytes, purpose, head, site }, verify);
  const live = applyChange(chain.live, statement);
  const added = statement.op === "add" ? addedKeys(statement) : noKeys;
  for (const name of namesOf(added)) {
    // Also after a revocation: a key that was lost must never count again.
    if (used.has(name)) throw invalid("key_twice");
    used.add(name);
  }
  const verified = {
    seq: statement.seq,
    head,
    statement,
    signedBy: { credentialId: link.assertion.id, deviceKid },
  };
  return {
    ...chain,
    seq: statement.seq,
    head,
    live,
    links: [...chain.links, verified],
    heads: [...chain.heads, head],
    everyDevice: [...chain.everyDevice, ...added.devices],
  };
}

/** Both factors, over the same bytes, for the same purpose, by keys live just before. One alone never counts. */
async function signerOf(
  live: LiveKeys,
  signed: { link: ChainLink; bytes: Bytes; purpose: KeyPurpose; head: string; site: Site },
  verify: typeof verifyAssertion,
): Promise<string> {
  const { link, bytes, purpose, head, site } = signed;
  await verifyByOneOf(link.assertion, { challenge: head, site }, live.credentials, verify);
  for (const { sig_jwk } of live.devices) {
    const [checked] = await Promise.allSettled([
      verifyDeviceSignature(purpose, bytes, link.device_signature, sig_jwk),
    ]);
    if (checked.status === "fulfilled") return thumbprint(sig_jwk);
  }
  throw new ProtocolError("device_signature_invalid");
}

/**
 * Verifies an assertion by the one of these credentials that it names.
 * @throws ProtocolError `credential_unknown`, `assertion_invalid`
 */
export async function verifyByOneOf(
  given: Assertion,
  { challenge, site }: { challenge: string; site: Site },
  credentials: readonly Credential[],
  verify: typeof verifyAssertion = verifyAssertion,
): Promise<void> {
  const credential = credentials.find(({ id }) => id === given.id);
  if (!credential) throw new ProtocolError("credential_unknown");
  await verify(given, { challenge, origin: site.origin, rpId: site.rp_id, credential });
}

/**
 * The keys after one K. The last device and the last credential cannot go: nobody could sign for the account.
 * @throws ProtocolError `last_key`, `too_many_keys`, `chain_invalid` where the revoked key is not live
 */
function applyChange(live: LiveKeys, statement: KeyStatement): LiveKeys {
  if (statement.op === "add") {
    const added = addedKeys(statement);
    const credentials = [...live.credentials, ...added.credentials];
    const devices = [...live.devices, ...added.devices];
    if (credentials.length > maxLiveKeys || devices.length > maxLiveKeys) {
      throw new ProtocolError("too_many_keys");
    }
    return { credentials, devices };
  }
  const rest = without(live, statement.subject);
  const before = live.credentials.length + live.devices.length;
  if (rest.credentials.length + rest.devices.length === before) throw invalid("not_live");
  if (rest.credentials.length === 0 || rest.devices.length === 0) {
    throw new ProtocolError("last_key");
  }
  return rest;
}

/**
 * The keys that an agent may count, from those of P on: it adds only what two keys it already counts have signed,
 * and drops whatever anybody in the verified chain revoked.
 * @param start the credential and the device of P
 */
export function pinnedKeys(start: LiveKeys, chain: VerifiedChain): LiveKeys {
  let pinned = start;
  for (const { statement, signedBy } of chain.links) {
    if (statement.op === "revoke") {
      pinned = without(pinned, statement.subject);
      continue;
    }
    const vouched =
      pinned.credentials.some(({ id }) => id === signedBy.credentialId) &&
      pinned.devices.some(({ sig_jwk }) => thumbprint(sig_jwk) === signedBy.deviceKid);
    const known = namesOf(pinned);
    const added = addedKeys(statement);
    if (!vouched || namesOf(added).some((name) => known.includes(name))) continue;
    pinned = {
      credentials: [...pinned.credentials, ...added.credentials],
      devices: [...pinned.devices, ...added.devices],
    };
  }
  return pinned;
}

const noKeys: LiveKeys = { credentials: [], devices: [] };

type Added = Extract<KeyStatement, { op: "add" }>["subject"];
type Revoked = Extract<KeyStatement, { op: "revoke" }>["subject"];

const addedKeys = ({ subject }: { subject: Added }): LiveKeys =>
  "credential" in subject
    ? { credentials: [subject.credential], devices: [] }
    : { credentials: [], devices: [subject.device] };

const without = (keys: LiveKeys, subject: Revoked): LiveKeys =>
  "credential_id" in subject
    ? { ...keys, credentials: keys.credentials.filter(({ id }) => id !== subject.credential_id) }
    : {
        ...keys,
        devices: keys.devices.filter(({ sig_jwk }) => thumbprint(sig_jwk) !== subject.device_kid),
      };

/** What makes a key the same key: a credential's id and its public key, a device's two public keys. */
const namesOf = ({ credentials, devices }: LiveKeys): string[] => [
  ...credentials.flatMap(({ id, jwk }) => [`id ${id}`, thumbprint(jwk)]),
  ...devices.flatMap(({ sig_jwk, enc_jwk }) => [thumbprint(sig_jwk), thumbprint(enc_jwk)]),
];

const invalid = (reason: string): ProtocolError => new ProtocolError("chain_invalid", { reason });
