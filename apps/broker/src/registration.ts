import {
  type Assertion,
  type Enrolment,
  hash,
  type Me,
  ProtocolError,
  randomNonce,
  sha256Text,
  siteStatementBytes,
  thumbprint,
  utf8,
  verifyChainRoot,
} from "@countersign/shared";
import type { SignedInApprover } from "./authorization.js";
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
import { isUniqueViolation } from "./db/failures.js";
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

/** Makes a single-use invitation for one new approver. Its link is shown once and never stored. */
export async function invite(
  broker: Broker,
  createdBy: string | null,
): Promise<{ invitation_link: string; expires_at: number }> {
  const invitation = randomNonce();
  const expiresAt = await insertInvitation(broker.db, { hash: tokenHash(invitation), createdBy });
  if (expiresAt === undefined) throw new ProtocolError("unavailable");
  return { invitation_link: `${broker.site.origin}/enrol#${invitation}`, expires_at: expiresAt };
}

/** The invitation for the first approver, as long as there is none. */
export async function inviteFirstApprover(broker: Broker): Promise<string | undefined> {
  if ((await countApprovers(broker.db)) > 0) return undefined;
  return (await invite(broker, null)).invitation_link;
}

/** @throws ProtocolError `invitation_invalid` */
export async function checkInvitation(broker: Broker, invitation: string): Promise<void> {
  if (!(await invitationIsOpen(broker.db, tokenHash(invitation)))) {
    throw new ProtocolError("invitation_invalid");
  }
}

/**
 * Enrols an approver: a new passkey over our nonce, and K0 signed by it and by the device, in one step.
 * @returns the session's token
 * @throws ProtocolError `registration_invalid`, `assertion_invalid`, `device_signature_invalid`,
 *   `invalid_binding`, `invitation_invalid` (used, or a nonce ran out), `conflict`
 */
export async function enrol(
  broker: Broker,
  given: Enrolment,
): Promise<{ approver: string; sessionToken: string }> {
  const { site, webauthn } = broker;
  const challenge = hash("register", siteStatementBytes(site, given.register_nonce));
  const registered = await webauthn.verifyRegistration(given.registration, { challenge, site });
  const { root, head } = await verifyChainRoot(given.root, site);
  const { credential, device } = root.subject;
  const same =
    credential.id === registered.id &&
    credential.be === registered.be &&
    thumbprint(credential.jwk) === thumbprint(registered.jwk);
  if (!same) throw new ProtocolError("invalid_binding");

  const sessionToken = randomNonce();
  const inserted = await insertApprover(broker.db, {
    approver: root.approver,
    name: given.name,
    invitationHash: tokenHash(given.invitation),
    registerNonce: given.register_nonce,
    credentialNonce: root.broker_nonce,
    credential: registered,
    device,
    deviceKid: thumbprint(device.sig_jwk),
    head,
    link: given.root,
    sessionHash: tokenHash(sessionToken),
  }).catch((error: unknown) => {
    if (isUniqueViolation(error)) throw new ProtocolError("conflict", { cause: error });
    throw error;
  });
  if (!inserted) throw new ProtocolError("invitation_invalid");
  broker.log.info({ approver: root.approver }, "approver enrolled");
  return { approver: root.approver, sessionToken };
}

/**
 * Signs in by any passkey of an approver's.
 * @returns the session's token
 * @throws ProtocolError `credential_unknown`, `assertion_invalid`, `nonce_stale`
 */
export async function signIn(
  broker: Broker,
  given: { broker_nonce: string; assertion: Assertion },
): Promise<{ approver: string; sessionToken: string }> {
  const { site } = broker;
  const credential = await findCredential(broker.db, given.assertion.id);
  if (!credential) throw new ProtocolError("credential_unknown");
  const { userHandle } = given.assertion.response;
  if (userHandle !== undefined && userHandle !== credential.approver) {
    throw new ProtocolError("credential_unknown");
  }
  await broker.webauthn.verifyAssertion(given.assertion, {
    challenge: hash("login", siteStatementBytes(site, given.broker_nonce)),
    origin: site.origin,
    rpId: site.rp_id,
    credential,
  });
  const sessionToken = randomNonce();
  const signedIn = await insertSession(broker.db, {
    hash: tokenHash(sessionToken),
    approver: credential.approver,
    credentialId: credential.id,
    nonce: given.broker_nonce,
  });
  if (!signedIn) throw new ProtocolError("nonce_stale");
  return { approver: credential.approver, sessionToken };
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
