import {
  fromBase64url,
  type KeyAppend,
  keyPurpose,
  type LinkOffer,
  type LinkStatus,
  ProtocolError,
  parseKeyStatement,
  thumbprint,
  type VerifiedChain,
  verifyChain,
} from "@countersign/shared";
import { refuseConflict, type SignedInApprover } from "./authorization.js";
import type { Broker } from "./broker.js";
import { listChain } from "./db/approvers.js";
import { appendKey, findLink, insertLink } from "./db/keys.js";

// Path 4: an approver's keys change. Whoever verifies a chain verifies it whole; this server's word adds no key.

/**
 * Takes the next link of an approver's chain: a device or passkey more, or one less. What is revoked loses its
 * sessions, ceremonies and streams in the same step.
 * @throws ProtocolError `chain_stale` (somebody else was first), `chain_invalid`, `last_key`, `too_many_keys`,
 *   `nonce_stale`, `link_stale`, `link_invalid`, `conflict` (the key is somebody's), `assertion_invalid`,
 *   `credential_unknown`, `device_signature_invalid`, and the encoding codes
 * @see protocol section 5, "Keys change only by the chain"
 */
export async function changeKeys(
  broker: Broker,
  person: SignedInApprover,
  given: KeyAppend,
): Promise<{ seq: number; head: string }> {
  const statement = parseKeyStatement(fromBase64url(given.link.statement));
  const stored = (await listChain(broker.db, person.approver)).map(({ link }) => link);
  const same = stored[statement.seq]?.statement === given.link.statement;
  // The reply to the first try may be lost; the statement names its place, so that once is once.
  if (same) {
    const chain = await verifyOwn(broker, person, stored.slice(0, statement.seq + 1));
    return { seq: chain.seq, head: chain.head };
  }
  if (statement.seq !== stored.length) throw new ProtocolError("chain_stale");
  const chain = await verifyOwn(broker, person, [...stored, given.link]);
  if (given.device_link) await requireOffered(broker, given, chain);

  const appended = await appendKey(broker.db, {
    statement,
    purpose: keyPurpose(statement),
    head: chain.head,
    link: given.link,
    userHandle: given.user_handle ?? null,
    deviceLink: given.device_link
      ? { linkId: given.device_link.link_id, vouching: given.device_link.vouching }
      : null,
  }).catch(refuseConflict("chain_stale"));
  if (!appended) throw new ProtocolError(await whyNotAppended(broker, person, given, chain));

  broker.log.info({ approver: person.approver, seq: chain.seq, op: statement.op }, "keys changed");
  broker.bus.publish({ account: true, approvers: [person.approver] });
  if (given.device_link) broker.bus.publish({ linkId: given.device_link.link_id, approvers: [] });
  return { seq: chain.seq, head: chain.head };
}

const verifyOwn = (
  broker: Broker,
  { approver }: SignedInApprover,
  links: Parameters<typeof verifyChain>[0],
): Promise<VerifiedChain> =>
  verifyChain(links, { site: broker.site, approver }, broker.webauthn.verifyAssertion);

/** A link leads to the very device that is added, and its vouching to the chain as it is then. */
async function requireOffered(
  broker: Broker,
  { device_link: link, link: { statement } }: KeyAppend,
  chain: VerifiedChain,
): Promise<void> {
  const offered = link && (await findLink(broker.db, link.link_id));
  if (!link || !offered || offered.vouching) throw new ProtocolError("link_stale");
  const { op, subject } = parseKeyStatement(fromBase64url(statement));
  const same =
    op === "add" &&
    "device" in subject &&
    thumbprint(subject.device.sig_jwk) === thumbprint(offered.keys.device.sig_jwk) &&
    link.vouching.approver === chain.approver &&
    link.vouching.seq === chain.seq &&
    link.vouching.head === chain.head;
  if (!same) throw new ProtocolError("link_invalid");
}

async function whyNotAppended(
  broker: Broker,
  person: SignedInApprover,
  given: KeyAppend,
  chain: VerifiedChain,
): Promise<"chain_stale" | "link_stale" | "nonce_stale"> {
  if ((await listChain(broker.db, person.approver)).length !== chain.seq) return "chain_stale";
  const linkId = given.device_link?.link_id;
  const link = linkId === undefined ? undefined : await findLink(broker.db, linkId);
  return linkId !== undefined && (!link || link.vouching) ? "link_stale" : "nonce_stale";
}

/** The signed-in approver's chain, as it was signed. */
export async function chainOf(broker: Broker, { approver }: SignedInApprover) {
  return { chain: (await listChain(broker.db, approver)).map(({ link }) => link) };
}

/**
 * Keeps a new phone's public keys for ten minutes, for the old phone to fetch. They grant nothing.
 * @throws ProtocolError `conflict` when other keys stand under this id
 */
export async function offerLink(broker: Broker, given: LinkOffer): Promise<LinkStatus> {
  const userHandle = given.user_handle ?? null;
  await insertLink(broker.db, { id: given.link_id, keys: given.keys, userHandle });
  const status = await readLink(broker, given.link_id);
  const same =
    thumbprint(status.keys.device.sig_jwk) === thumbprint(given.keys.device.sig_jwk) &&
    status.keys.credential?.id === given.keys.credential?.id;
  if (!same) throw new ProtocolError("conflict");
  return status;
}

/** @throws ProtocolError `link_stale` */
export async function readLink(broker: Broker, linkId: string): Promise<LinkStatus> {
  const row = await findLink(broker.db, linkId);
  if (!row) throw new ProtocolError("link_stale");
  return {
    state: row.vouching ? "added" : "offered",
    expires_at: row.expires_at,
    keys: row.keys,
    ...(row.user_handle === null ? {} : { user_handle: row.user_handle }),
    ...(row.vouching === null ? {} : { vouching: row.vouching }),
  };
}
