import {
  type Bytes,
  createInvitation,
  type Enrolment,
  hash,
  type Me,
  normalizeInvitation,
  ProtocolError,
  randomNonce,
  type SignIn,
  sha256Text,
  siteStatementBytes,
  thumbprint,
  utf8,
  verifyChainRoot,
  verifyDeviceSignature,
} from "@countersign/shared";
import { refuseConflict, type SignedInApprover } from "./authorization.js";
import type { Broker } from "./broker.js";
import {
  countApprovers,
  findApprover,
  findCredential,
  insertApprover,
  insertInvitation,
  invitationIsOpen,
  listChain,
  listCredentials,
  listDevices,
} from "./db/approvers.js";
import { findDevice } from "./db/keys.js";
import { insertNonce, insertSession, type NoncePurpose } from "./db/sessions.js";

// Path 2: an approver with a passkey and a device, and the sessions they open.

/** Tokens are stored by hash: a copy of the database opens no session and no account. */
export const tokenHash = (token: string): string => sha256Text(utf8(token));

/** @returns a nonce for one ceremony and when it runs out (NumericDate) */
export async function issueNonce(
  broker: Broker,
  purpose: NoncePurpose,
): Promise<{ broker_nonce: string; expires_at: number }> {
  const value = randomNonce();
  const expiresAt = await insertNonce(broker.db, { value, purpose });
  if (expiresAt === undefined) throw new ProtocolError("unavailable");
  return { broker_nonce: value, expires_at: expiresAt };
}

const invitationHash = (invitation: string): string => tokenHash(normalizeInvitation(invitation));

/** Makes a single-use invitation for one new approver. Its link is shown once and never stored. */
export async function invite(
  broker: Broker,
  createdBy: string | null,
): Promise<{ invitation_link: string; expires_at: number }> {
  const invitation = createInvitation();
  const expiresAt = await insertInvitation(broker.db, {
    hash: invitationHash(invitation),
    createdBy,
  });
  if (expiresAt === undefined) throw new ProtocolError("unavailable");
  return { invitation_link: `${broker.site.origin}/enrol#${invitation}`, expires_at: expiresAt };
}

/** The invitation for the first approver, as long as there is none. */
export async function inviteFirstApprover(broker: Broker): Promise<string | undefined> {
  if ((await countApprovers(broker.db)) > 0) return undefined;
  return (await invite(broker, null)).invitation_link;
}

/** Whether somebody could enrol by this invitation now. */
export const isInvited = (broker: Broker, invitation: string): Promise<boolean> =>
  invitationIsOpen(broker.db, invitationHash(invitation));

/**
 * Enrols an approver: a new passkey over our nonce, and K0 signed by it and by the device, in one step.
 * @returns the session's token
 * @throws ProtocolError `registration_invalid`, `assertion_invalid`, `device_signature_invalid`,
 *   `invalid_binding`, `invitation_invalid` (used, or a nonce ran out), `conflict`
 */
export async function enrol(
  broker: Broker,
  given: Enrolment & { invitation: string },
): Promise<{ approver: string; sessionToken: string }> {
  const { root, head, registered } = await verifyNewKeys(broker, given);
  const sessionToken = randomNonce();
  const inserted = await insertApprover(broker.db, {
    approver: root.approver,
    name: given.name,
    invitationHash: invitationHash(given.invitation),
    registerNonce: given.register_nonce,
    credentialNonce: root.broker_nonce,
    credential: registered,
    device: root.subject.device,
    deviceKid: thumbprint(root.subject.device.sig_jwk),
    head,
    link: given.root,
    sessionHash: tokenHash(sessionToken),
  }).catch(refuseConflict("conflict"));
  if (!inserted) throw new ProtocolError("invitation_invalid");
  broker.log.info({ approver: root.approver }, "approver enrolled");
  return { approver: root.approver, sessionToken };
}

/**
 * A new passkey over our nonce, and a root over this passkey and this device, signed by both.
 * @throws ProtocolError `registration_invalid`, `assertion_invalid`, `device_signature_invalid`, `invalid_binding`
 */
export async function verifyNewKeys(
  { site, webauthn }: Broker,
  given: Pick<Enrolment, "register_nonce" | "registration" | "root">,
) {
  const challenge = hash("register", siteStatementBytes(site, given.register_nonce));
  const registered = await webauthn.verifyRegistration(given.registration, { challenge, site });
  const { root, head } = await verifyChainRoot(given.root, site);
  const { credential } = root.subject;
  const same =
    credential.id === registered.id &&
    credential.be === registered.be &&
    thumbprint(credential.jwk) === thumbprint(registered.jwk);
  if (!same) throw new ProtocolError("invalid_binding");
  return { root, head, registered };
}

/**
 * Signs in by any passkey of an approver's.
 * @returns the session's token
 * @throws ProtocolError `credential_unknown`, `assertion_invalid`, `nonce_stale`, `device_unknown`,
 *   `device_signature_invalid`
 */
export async function signIn(
  broker: Broker,
  given: SignIn,
): Promise<{ approver: string; sessionToken: string }> {
  const { site } = broker;
  const credential = await findCredential(broker.db, given.assertion.id);
  if (!credential) throw new ProtocolError("credential_unknown");
  const { userHandle } = given.assertion.response;
  if (userHandle !== undefined && userHandle !== credential.user_handle) {
    throw new ProtocolError("credential_unknown");
  }
  const signed = siteStatementBytes(site, given.broker_nonce);
  await broker.webauthn.verifyAssertion(given.assertion, {
    challenge: hash("login", signed),
    origin: site.origin,
    rpId: site.rp_id,
    credential,
  });
  if (given.device) await requireDevice(broker, credential.approver, given.device, signed);
  const sessionToken = randomNonce();
  const signedIn = await insertSession(broker.db, {
    hash: tokenHash(sessionToken),
    approver: credential.approver,
    credentialId: credential.id,
    deviceKid: given.device?.device_kid ?? null,
    nonce: given.broker_nonce,
  });
  if (!signedIn) throw new ProtocolError("nonce_stale");
  return { approver: credential.approver, sessionToken };
}

/** A session that names a device ends with it, so it must be that device's. */
async function requireDevice(
  { db }: Broker,
  approver: string,
  given: NonNullable<SignIn["device"]>,
  signed: Bytes,
): Promise<void> {
  const sigJwk = await findDevice(db, { kid: given.device_kid, approver });
  if (!sigJwk) throw new ProtocolError("device_unknown");
  await verifyDeviceSignature("login", signed, given.device_signature, sigJwk);
}

/** What the phone may know about its own account. */
export async function describeApprover(broker: Broker, person: SignedInApprover): Promise<Me> {
  const [approver, credentials, devices, chain] = await Promise.all([
    findApprover(broker.db, person.approver),
    listCredentials(broker.db, person.approver),
    listDevices(broker.db, person.approver),
    listChain(broker.db, person.approver),
  ]);
  const last = chain.at(-1);
  if (!approver || !last) throw new ProtocolError("not_found");
  return {
    ...approver,
    credentials: credentials.map(withoutNull),
    devices: devices.map(withoutNull),
    chain: { seq: last.seq, head: last.head },
  };
}

/** Absent members are absent on the wire, never null (protocol section 2). */
function withoutNull<T extends { revoked_at: number | null }>({ revoked_at, ...rest }: T) {
  return revoked_at === null ? rest : { ...rest, revoked_at };
}
