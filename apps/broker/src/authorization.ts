import {
  type Approval,
  type ApproverKeys,
  type AuthorizationRequest,
  type Ceremony,
  type Decision,
  type DeniedDecision,
  type EcPublicJwk,
  type ErrorCode,
  fromBase64url,
  hash,
  maxClockSkewSeconds,
  ProtocolError,
  parseDenial,
  parseStatement,
  type RequestState,
  randomId,
  randomNonce,
  readRequestObject,
  renderers,
  verifyApproval,
  verifyDenial,
  verifyRequestObject,
} from "@countersign/shared";
import type { Broker } from "./broker.js";
import { listDevices } from "./db/approvers.js";
import { contextIsUnbound } from "./db/contexts.js";
import { describeFailure, isUniqueViolation } from "./db/failures.js";
import { isFrozen } from "./db/freezes.js";
import { listAcceptances } from "./db/pairings.js";
import {
  findForAgent,
  findForApprover,
  findToDecide,
  listDecisions,
  type RequestRow,
  type RequestToDecide,
} from "./db/request-reads.js";
import {
  hasRoom,
  insertApproval,
  insertCeremony,
  insertDenial,
  insertRequest,
  type NewRequest,
} from "./db/requests.js";
import { isOwnTree } from "./log/proofs.js";

// THE PATH: request -> open -> decide; redemption.ts goes on with redeem -> report.
// Each step checks, changes the state by one statement, and tells others.

/** An agent that somebody is still paired with, and whose key signed what it sent. */
export interface AuthenticatedAgent {
  clientId: string;
  jwk: EcPublicJwk;
}

/** A person with a session. A session alone decides nothing. */
export interface SignedInApprover {
  approver: string;
}

/**
 * Stores an agent's signed authentication request. The same octets again get the same answer.
 * @throws ProtocolError `invalid_request`, `clock_skew`, `expired`, `renderer_unsupported`, `context_missing`,
 *   `too_many_pending`, `frozen`, `forbidden` (not paired with one of the approvers), and the encoding codes
 * @see OpenID CIBA Core 7.1
 */
export async function requestAuthorization(
  broker: Broker,
  agent: AuthenticatedAgent,
  jws: string,
): Promise<{ rid: string; reqNonce: string; expiresInSeconds: number }> {
  const request = await verifyRequestObject(jws, agent.jwk);
  const fault = faultOf(broker, request);
  const reqNonce = randomNonce();
  const row = toRow(broker, request, jws, reqNonce);
  // A request whose context was deleted, and is here once more, fails by its id and not by its context.
  const refuseOther = async (error: unknown): Promise<false> =>
    isUniqueViolation(error) && (await sameRequest(broker, agent, request))
      ? false
      : refuseConflict("invalid_request")(error);
  const insert = async () =>
    fault === undefined && (await insertRequest(broker.db, row).catch(refuseOther));
  for (let attempt = 1; !(await insert()); attempt++) {
    // Asked again, however late, a request that is here gets its answer.
    const same = await sameRequest(broker, agent, request);
    if (same) return answer(broker, request, same.req_nonce);
    const why = fault ?? (await whyNotInserted(broker, request));
    // No reason but this agent's other requests of the same moment: of each such crowd one is stored.
    if (why || attempt > broker.allowed.pendingPerAgent)
      throw new ProtocolError(why ?? "slow_down");
  }

  tell(broker, request.rid, agent.clientId, request.detail.approvers, "pending");
  return answer(broker, request, reqNonce);
}

/** The request stored under this id, if it is this very one. */
async function sameRequest(
  broker: Broker,
  agent: AuthenticatedAgent,
  request: AuthorizationRequest,
): Promise<RequestRow | undefined> {
  const known = await findForAgent(broker.db, { rid: request.rid, clientId: agent.clientId });
  if (known && known.ar_hash !== request.arHash) throw new ProtocolError("invalid_request");
  return known;
}

function faultOf(broker: Broker, { claims, detail }: AuthorizationRequest): ErrorCode | undefined {
  const now = nowSeconds(broker);
  if (claims.aud !== broker.site.issuer) return "invalid_request";
  if (Math.abs(claims.iat - now) > maxClockSkewSeconds) return "clock_skew";
  if (claims.nbf > now + maxClockSkewSeconds) return "clock_skew";
  if (claims.exp <= now) return "expired";
  const isKnown = renderers.some((version) => version === detail.renderer);
  return isKnown ? undefined : "renderer_unsupported";
}

const toRow = (
  { allowed }: Broker,
  { rid, claims, detail, arHash }: AuthorizationRequest,
  jws: string,
  reqNonce: string,
): NewRequest => ({
  rid,
  clientId: claims.iss,
  request: jws,
  arHash,
  ctx: detail.ctx,
  sealedSha256: detail.sealed_sha256,
  sealedPictureSha256: detail.sealed_picture_sha256,
  tier: detail.tier,
  approvers: detail.approvers,
  quorum: detail.quorum,
  reqNonce,
  expiresAt: claims.exp,
  allowed,
});

async function whyNotInserted(
  broker: Broker,
  { claims, detail }: AuthorizationRequest,
): Promise<ErrorCode | undefined> {
  const paired = await listAcceptances(broker.db, {
    clientId: claims.iss,
    approvers: detail.approvers,
  });
  if (paired.length < detail.approvers.length) return "forbidden";
  if (await isFrozen(broker.db, claims.iss)) return "frozen";
  for (const sealedSha256 of [detail.sealed_sha256, detail.sealed_picture_sha256]) {
    if (sealedSha256 === undefined) continue;
    const uploaded = await contextIsUnbound(broker.db, { clientId: claims.iss, sealedSha256 });
    if (!uploaded) return "context_missing";
  }
  if (claims.exp <= nowSeconds(broker)) return "expired";
  return (await hasRoom(broker.db, claims.iss, broker.allowed)) ? undefined : "too_many_pending";
}

function answer(broker: Broker, { rid, claims }: AuthorizationRequest, reqNonce: string) {
  return { rid, reqNonce, expiresInSeconds: Math.max(1, claims.exp - nowSeconds(broker)) };
}

/**
 * Opens a ceremony on one device of an approver: nonces for exactly one assertion over this request.
 * @throws ProtocolError `not_found`, `already_settled`, `expired`, `device_unknown`, `frozen`, `forbidden`
 */
export async function openCeremony(
  broker: Broker,
  person: SignedInApprover,
  given: { rid: string; deviceKid: string },
): Promise<Ceremony> {
  const request = await requestToDecide(broker, person, given.rid);
  const opened = await insertCeremony(broker.db, {
    rid: given.rid,
    approver: person.approver,
    deviceKid: given.deviceKid,
    cid: randomId(),
    brokerNonce: randomNonce(),
    arHash: request.ar_hash,
  });
  if (!opened) throw new ProtocolError(await whyNotOpened(broker, person, given));
  return {
    cid: opened.cid,
    broker_nonce: opened.broker_nonce,
    expires_at: opened.expires_at,
    credential_ids: request.credentials.map(({ id }) => id),
  };
}

async function whyNotOpened(
  broker: Broker,
  person: SignedInApprover,
  given: { rid: string; deviceKid: string },
): Promise<ErrorCode> {
  const request = await requestOf(broker, person, given.rid);
  if (request.state === "expired") return "expired";
  if (request.state !== "pending" || request.decided) return "already_settled";
  const devices = await listDevices(broker.db, person.approver);
  const known = devices.some(
    (device) => device.device_kid === given.deviceKid && !device.revoked_at,
  );
  if (!known) return "device_unknown";
  return (await isFrozen(broker.db, request.client_id)) ? "frozen" : "forbidden";
}

/**
 * Takes an approver's decision. An approval counts only with the assertion of a live ceremony over this very
 * request; there is no other way to `approved`. The same decision again gets the same answer.
 * @throws ProtocolError `not_found`, `already_settled`, `expired`, `ceremony_stale`, `invalid_binding`,
 *   `assertion_invalid`, `device_signature_invalid`, `credential_unknown`, `device_unknown`
 */
export async function decide(
  broker: Broker,
  person: SignedInApprover,
  rid: string,
  decision: Decision,
): Promise<{ rid: string; state: RequestState }> {
  const request = await requestToDecide(broker, person, rid);
  if (request.decided && (await isStored(broker, person, rid, decision))) {
    return { rid, state: request.state };
  }

  const state =
    decision.decision === "approve"
      ? await approve(broker, person, request, decision)
      : await deny(broker, person, request, decision);
  if (!state) {
    if (await isStored(broker, person, rid, decision)) return afterwards(broker, person, rid);
    throw new ProtocolError(await whyNotDecided(broker, person, rid));
  }

  const logged = putUnderCheckpoint(broker);
  // A no counts without, so a log that stalls keeps nobody from it.
  if (state !== "denied") await logged;
  tell(broker, rid, request.client_id, request.approvers, state);
  return { rid, state };
}

/** At once, since an approval waits for it. The decision stands without: then the next second's checkpoint has it. */
async function putUnderCheckpoint(broker: Broker): Promise<void> {
  try {
    await broker.sequencer.run();
  } catch (error) {
    broker.log.warn({ err: describeFailure(error) }, "sequencing failed");
  }
}

async function approve(
  broker: Broker,
  person: SignedInApprover,
  request: RequestToDecide,
  approval: Approval,
): Promise<RequestState | undefined> {
  const bytes = fromBase64url(approval.statement);
  const statement = parseStatement(bytes);
  const live = request.ceremonies.some(
    (ceremony) =>
      ceremony.cid === statement.cid &&
      ceremony.device_kid === statement.device_kid &&
      ceremony.broker_nonce === statement.broker_nonce,
  );
  if (!live) return undefined;
  // What another log's notary signed is no approval here: the agent would refuse it, and its broker for good.
  if (statement.checkpoint && !(await isOwnTree(broker, statement.checkpoint))) {
    throw new ProtocolError("invalid_binding", { reason: "checkpoint" });
  }
  await verifyApproval(
    approval,
    {
      site: broker.site,
      request: readRequestObject(request.request),
      // Sealed from the broker: only agent and phone can compare the view.
      viewHash: statement.view_hash,
      reqNonce: request.req_nonce,
    },
    keysOf(person, request),
    broker.webauthn.verifyAssertion,
  );
  return insertApproval(broker.db, {
    rid: request.rid,
    approver: person.approver,
    cid: statement.cid,
    credentialId: approval.assertion.id,
    deviceKid: statement.device_kid,
    digest: hash("approve", bytes),
    approval,
  }).catch(refuseConflict("already_settled"));
}

async function deny(
  broker: Broker,
  person: SignedInApprover,
  request: RequestToDecide,
  denial: DeniedDecision,
): Promise<RequestState | undefined> {
  const bytes = fromBase64url(denial.statement);
  await verifyDenial(
    denial,
    {
      issuer: broker.site.issuer,
      rid: request.rid,
      agentJkt: request.client_id,
      approvers: request.approvers,
    },
    keysOf(person, request),
  );
  return insertDenial(broker.db, {
    rid: request.rid,
    approver: person.approver,
    deviceKid: parseDenial(bytes).device_kid,
    digest: hash("deny", bytes),
    denial,
  }).catch(refuseConflict("already_settled"));
}

/** Decisions are compared by the bytes that were signed, never by their signatures: those have many spellings. */
async function isStored(
  broker: Broker,
  person: SignedInApprover,
  rid: string,
  decision: Decision,
): Promise<boolean> {
  const decisions = await listDecisions(broker.db, rid);
  return decisions.some(
    (stored) =>
      stored.approver === person.approver &&
      stored.kind === decision.decision &&
      stored.decision.statement === decision.statement,
  );
}

async function whyNotDecided(
  broker: Broker,
  person: SignedInApprover,
  rid: string,
): Promise<ErrorCode> {
  const request = await requestOf(broker, person, rid);
  if (request.state === "expired") return "expired";
  return request.state === "pending" && !request.decided ? "ceremony_stale" : "already_settled";
}

async function afterwards(broker: Broker, person: SignedInApprover, rid: string) {
  const { state } = await requestOf(broker, person, rid);
  return { rid, state };
}

/** A request that this person is asked about. Those of others are not there. */
export async function requestOf(
  broker: Broker,
  person: SignedInApprover,
  rid: string,
): Promise<RequestRow> {
  const request = await findForApprover(broker.db, { rid, approver: person.approver });
  if (!request) throw new ProtocolError("not_found");
  return request;
}

async function requestToDecide(
  broker: Broker,
  person: SignedInApprover,
  rid: string,
): Promise<RequestToDecide> {
  const request = await findToDecide(broker.db, { rid, approver: person.approver });
  if (!request) throw new ProtocolError("not_found");
  return request;
}

const keysOf = (
  { approver }: SignedInApprover,
  { credentials, devices }: RequestToDecide,
): ApproverKeys => ({ approver, credentials, devices: devices.map(({ sig_jwk }) => sig_jwk) });

/** Lets everybody know whom a change concerns. */
export function tell(
  broker: Broker,
  rid: string,
  clientId: string,
  approvers: readonly string[],
  state: RequestState,
): void {
  broker.log.info({ rid, state }, "request changed");
  broker.bus.publish({ rid, state, clientId, approvers });
}

/** Somebody stored another row under the same key in the same moment. */
export const refuseConflict =
  (code: ErrorCode) =>
  (error: unknown): never => {
    if (isUniqueViolation(error)) throw new ProtocolError(code, { cause: error });
    throw error;
  };

const nowSeconds = (broker: Broker): number => Math.floor(broker.now() / 1000);
