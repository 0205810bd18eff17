import {
  type AgentPairing,
  type AppPairing,
  type ApproverChain,
  fromBase64url,
  hash,
  maxClockSkewSeconds,
  nonceCommitment,
  type PairingAcceptance,
  ProtocolError,
  pairingSeconds,
  type parsePairingStatement,
  thumbprint,
  verifyPairingOffer,
  verifyPairingStatement,
} from "@countersign/shared";
import { type AuthenticatedAgent, refuseConflict, type SignedInApprover } from "./authorization.js";
import type { Broker } from "./broker.js";
import { findApprover, listChain, listCredentials, listDevices } from "./db/approvers.js";
import { findFreeze } from "./db/freezes.js";
import {
  abandonPairing,
  acceptPairing,
  confirmPairing,
  endPairing,
  findLivePairing,
  findPairing,
  insertPairing,
  listAgents,
  type PairingRow,
  revealNonce,
} from "./db/pairings.js";
import { cancelRequest, findOpenBetween } from "./db/requests.js";

// Path 3: agent and approver see each other's keys; the broker carries what they say and vouches for nothing.

/** Whoever holds the key of a DPoP proof: all that an agent is before somebody pairs with it. */
export interface KeyHolder {
  jkt: string;
}

/**
 * Stores an agent's offer.
 * @throws ProtocolError `invalid_binding`, `clock_skew`, `conflict`, and the encoding codes
 */
export async function offerPairing(
  broker: Broker,
  holder: KeyHolder,
  jws: string,
): Promise<AgentPairing> {
  const offer = await verifyPairingOffer(jws, {
    issuer: broker.site.issuer,
    agentJkt: holder.jkt,
  });
  if (Math.abs(offer.iat - broker.now() / 1000) > maxClockSkewSeconds) {
    throw new ProtocolError("clock_skew");
  }
  await insertPairing(broker.db, {
    id: offer.pairing_id,
    clientId: holder.jkt,
    offer: jws,
    expiresAt: Math.min(offer.exp, offer.iat + pairingSeconds),
  });
  const row = await pairingOf(broker, holder, offer.pairing_id);
  if (row.offer !== jws) throw new ProtocolError("conflict");
  return forAgent(row);
}

/** @throws ProtocolError `not_found` */
export async function readForAgent(
  broker: Broker,
  holder: KeyHolder,
  id: string,
): Promise<AgentPairing> {
  return forAgent(await pairingOf(broker, holder, id));
}

/**
 * What a signed-in phone sees of a pairing whose link it read. After the first P only its maker sees it.
 * @throws ProtocolError `not_found`
 */
export async function readForPhone(
  broker: Broker,
  person: SignedInApprover,
  id: string,
): Promise<AppPairing> {
  const row = await findPairing(broker.db, id);
  if (!row || (row.approver !== null && row.approver !== person.approver)) {
    throw new ProtocolError("not_found");
  }
  return {
    pairing_id: row.pairing_id,
    state: row.state,
    expires_at: row.expires_at,
    offer: row.offer,
    ...(row.nonce === null ? {} : { nonce: row.nonce }),
  };
}

/**
 * Takes the one P that a pairing ever gets, from a phone of a signed-in approver.
 * @throws ProtocolError `not_found`, `pairing_stale`, `pairing_invalid`, `invalid_binding`,
 *   `assertion_invalid`, `device_signature_invalid`
 */
export async function accept(
  broker: Broker,
  person: SignedInApprover,
  id: string,
  acceptance: PairingAcceptance,
): Promise<AppPairing> {
  const row = await findPairing(broker.db, id);
  if (!row) throw new ProtocolError("not_found");
  const { state } = row;
  if (state !== "offered") {
    const again =
      row.approver === person.approver && row.acceptance?.statement === acceptance.statement;
    if (!again) throw new ProtocolError("pairing_stale");
    return readForPhone(broker, person, id);
  }

  const offer = await verifyPairingOffer(row.offer, { issuer: broker.site.issuer });
  const statement = await verifyPairingStatement(acceptance, { site: broker.site, offer });
  if (statement.log_key !== broker.logKey.vkey) throw new ProtocolError("invalid_binding");
  await requireOwnKeys(broker, person, statement);

  const accepted = await acceptPairing(broker.db, {
    id,
    approver: person.approver,
    credentialId: statement.credential.id,
    deviceKid: thumbprint(statement.device.sig_jwk),
    brokerNonce: statement.broker_nonce,
    acceptance,
  });
  if (!accepted) throw new ProtocolError("pairing_stale");
  tell(broker, row, person.approver);
  return readForPhone(broker, person, id);
}

/** P names keys and a chain that this account has; the agent pins them, so a slip would lock the phone out. */
async function requireOwnKeys(
  broker: Broker,
  person: SignedInApprover,
  statement: ReturnType<typeof parsePairingStatement>,
): Promise<void> {
  const [credentials, devices, chain] = await Promise.all([
    listCredentials(broker.db, person.approver),
    listDevices(broker.db, person.approver),
    listChain(broker.db, person.approver),
  ]);
  const { credential, device } = statement;
  const own =
    statement.approver === person.approver &&
    credentials.some(
      ({ id, be, jwk }) =>
        id === credential.id &&
        be === credential.be &&
        thumbprint(jwk) === thumbprint(credential.jwk),
    ) &&
    devices.some(
      ({ device_kid, enc_jwk }) =>
        device_kid === thumbprint(device.sig_jwk) &&
        thumbprint(enc_jwk) === thumbprint(device.enc_jwk),
    ) &&
    chain.some(({ seq, head }) => seq === statement.chain.seq && head === statement.chain.head);
  if (!own) throw new ProtocolError("pairing_invalid");
}

/**
 * The agent shows the nonce it committed to; the phone may now show the digits.
 * @throws ProtocolError `not_found`, `pairing_invalid` (another nonce), `pairing_stale`
 */
export async function reveal(
  broker: Broker,
  holder: KeyHolder,
  id: string,
  nonce: string,
): Promise<AgentPairing> {
  const row = await pairingOf(broker, holder, id);
  const offer = await verifyPairingOffer(row.offer, { issuer: broker.site.issuer });
  if (nonceCommitment(fromBase64url(nonce)) !== offer.commit) {
    throw new ProtocolError("pairing_invalid");
  }
  const revealed = await revealNonce(broker.db, { id, clientId: holder.jkt, nonce });
  if (revealed) tell(broker, row, row.approver);
  else if (row.nonce !== nonce) throw new ProtocolError("pairing_stale");
  return readForAgent(broker, holder, id);
}

/**
 * The digits were right: the pairing is live from here on.
 * @throws ProtocolError `not_found`, `pairing_stale`
 */
export async function confirm(
  broker: Broker,
  holder: KeyHolder,
  id: string,
): Promise<AgentPairing> {
  const row = await pairingOf(broker, holder, id);
  if (row.state === "live") return forAgent(row);
  if (row.state !== "revealed" || row.approver === null || row.acceptance === null) {
    throw new ProtocolError("pairing_stale");
  }
  // The agent may have unpaired while this server was out of reach; its word counts now.
  const earlier = await findLivePairing(broker.db, {
    clientId: holder.jkt,
    approver: row.approver,
  });
  if (earlier && earlier.pairing_id !== id) {
    await end(broker, {
      id: earlier.pairing_id,
      clientId: holder.jkt,
      approver: row.approver,
    });
  }
  const offer = await verifyPairingOffer(row.offer, { issuer: broker.site.issuer });
  const confirmed = await confirmPairing(broker.db, {
    id,
    clientId: holder.jkt,
    jwk: offer.agent_jwk,
    name: offer.name,
    host: offer.host,
    digest: hash("pair", fromBase64url(row.acceptance.statement)),
  }).catch(refuseConflict("pairing_stale"));
  const after = await readForAgent(broker, holder, id);
  if (!confirmed) {
    // The same call, repeated while it was under way, may have come first.
    if (after.state !== "live") throw new ProtocolError("pairing_stale");
    return after;
  }
  broker.log.info({ clientId: holder.jkt, approver: row.approver }, "paired");
  tell(broker, row, row.approver);
  return after;
}

/**
 * Ends a pairing at its agent's word, live or not. Ending it again changes nothing.
 * @throws ProtocolError `not_found`
 */
export async function endByAgent(broker: Broker, holder: KeyHolder, id: string): Promise<void> {
  const row = await pairingOf(broker, holder, id);
  if (row.state === "live" && row.approver !== null) {
    await unpair(broker, { clientId: holder.jkt, approver: row.approver });
  } else if (await abandonPairing(broker.db, { id, clientId: holder.jkt })) {
    tell(broker, row, row.approver);
  }
}

/**
 * Ends the live pairing of an agent and an approver, and withdraws what they have open.
 * @throws ProtocolError `not_found`
 */
export async function unpair(
  broker: Broker,
  given: { clientId: string; approver: string },
): Promise<void> {
  const live = await findLivePairing(broker.db, given);
  if (!live) throw new ProtocolError("not_found");
  await end(broker, { id: live.pairing_id, ...given });
}

async function end(
  broker: Broker,
  given: { id: string; clientId: string; approver: string },
): Promise<void> {
  await endPairing(broker.db, given);
  for (const { rid, ar_hash: arHash } of await findOpenBetween(broker.db, given)) {
    await cancelRequest(broker.db, { rid, clientId: given.clientId, arHash });
    broker.bus.publish({
      rid,
      state: "canceled",
      clientId: given.clientId,
      approvers: [given.approver],
    });
  }
  broker.bus.publish({
    pairingId: given.id,
    clientId: given.clientId,
    approvers: [given.approver],
  });
}

/**
 * An approver's own P, key chain and latest freeze, for an agent that is paired with them.
 * @throws ProtocolError `not_found`
 */
export async function chainFor(
  broker: Broker,
  agent: AuthenticatedAgent,
  approverId: string,
): Promise<ApproverChain> {
  const [live, approver, chain, frozen] = await Promise.all([
    findLivePairing(broker.db, { clientId: agent.clientId, approver: approverId }),
    findApprover(broker.db, approverId),
    listChain(broker.db, approverId),
    findFreeze(broker.db, { clientId: agent.clientId, approver: approverId }),
  ]);
  if (!live || !approver) throw new ProtocolError("not_found");
  return {
    ...approver,
    pairing: live.acceptance,
    chain: chain.map(({ link }) => link),
    ...(frozen ? { freeze: frozen.freeze } : {}),
  };
}

/** Agents that this approver is paired with. */
export async function agentsOf(broker: Broker, person: SignedInApprover) {
  const agents = await listAgents(broker.db, person.approver);
  return agents.map(({ last_seen_at, freeze, acceptance: { mac: _, ...acceptance }, ...rest }) => ({
    ...rest,
    acceptance,
    ...(last_seen_at === null ? {} : { last_seen_at }),
    ...(freeze === null ? {} : { freeze }),
  }));
}

/** An agent's own pairing. Those of other keys are not there. */
async function pairingOf(broker: Broker, holder: KeyHolder, id: string): Promise<PairingRow> {
  const row = await findPairing(broker.db, id);
  if (!row || row.client_id !== holder.jkt) throw new ProtocolError("not_found");
  return row;
}

const forAgent = (row: PairingRow): AgentPairing => ({
  pairing_id: row.pairing_id,
  state: row.state,
  expires_at: row.expires_at,
  ...(row.acceptance === null ? {} : { acceptance: row.acceptance }),
});

function tell(broker: Broker, row: PairingRow, approver: string | null): void {
  broker.bus.publish({
    pairingId: row.pairing_id,
    clientId: row.client_id,
    approvers: approver === null ? [] : [approver],
  });
}
