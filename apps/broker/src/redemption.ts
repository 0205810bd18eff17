import {
  type DeniedDecision,
  type Evidence,
  type LoggedLeaf,
  ProtocolError,
  readJws,
  type SignedFreeze,
  sha256Text,
  utf8,
  verifyOutcome,
} from "@countersign/shared";
import { type AuthenticatedAgent, refuseConflict, tell } from "./authorization.js";
import type { Broker } from "./broker.js";
import { type EvidenceParts, readEvidenceParts } from "./db/evidence.js";
import { findForAgent, listDecisions, listOutcomes, type RequestRow } from "./db/request-reads.js";
import {
  cancelRequest,
  canRedeemAgain,
  expireRequest,
  findOverdue,
  insertOutcome,
  redeemRequest,
  waitsForLog,
} from "./db/requests.js";
import { lifecycle, terminalStates } from "./domain/lifecycle.js";
import type { EventBus } from "./domain/ports.js";
import { proveLeaves } from "./log/proofs.js";

// The path's second half, for the agent: redeem -> report, and cancel and expire beside it.

/** What an agent's poll finds. */
export type Redemption =
  | { state: "redeemed"; evidence: Evidence; request: RequestRow }
  | { state: "pending"; request?: RequestRow }
  | { state: "used" | "canceled" | "expired" | "withdrawn" }
  | { state: "denied"; decision: DeniedDecision | undefined; freeze: SignedFreeze | null };

/**
 * Hands the evidence of an approved request to its agent, once; with the same idempotency key again for a
 * minute, since a reply can be lost.
 * @param given `seen`: the request as it was found pending, where something has probably happened to it since
 * @throws ProtocolError `not_found`
 */
export async function redeem(
  broker: Broker,
  agent: AuthenticatedAgent,
  given: { rid: string; idempotencyKey: string | undefined; seen?: RequestRow | undefined },
): Promise<Redemption> {
  const { clientId } = agent;
  const { rid, idempotencyKey, seen } = given;
  const keyHash = idempotencyKey === undefined ? null : sha256Text(utf8(idempotencyKey));
  const claim = ({ ar_hash: arHash }: RequestRow): Promise<boolean> =>
    redeemRequest(broker.db, { rid, clientId, arHash, keyHash });
  const redeemed = async (request: RequestRow): Promise<Redemption> => ({
    ...{ state: "redeemed", request },
    evidence: await readEvidence(broker, agent, request),
  });
  const claimed = (request: RequestRow): Promise<Redemption> => {
    tell(broker, rid, clientId, request.approvers, "redeemed");
    return redeemed(request);
  };

  // What woke a poll is mostly the approval; of the rest of a request nothing changes.
  if (seen && (await claim(seen))) return claimed(seen);
  const request = await findForAgent(broker.db, { rid, clientId });
  if (!request) throw new ProtocolError("not_found");
  switch (request.state) {
    case "pending":
      return { state: "pending", request };
    case "approved": {
      if (await claim(request)) return claimed(request);
      if (await waitsForLog(broker.db, rid)) return { state: "pending", request };
      // Its checkpoint may have come between the two, and was then all that was missing.
      if (await claim(request)) return claimed(request);
      return afterLostRace(broker, agent, given, request);
    }
    case "redeemed": {
      const again =
        keyHash !== null && (await canRedeemAgain(broker.db, { rid, clientId, keyHash }));
      return again ? redeemed(request) : { state: "used" };
    }
    case "reported":
      return { state: "used" };
    case "denied":
      return {
        state: "denied",
        decision: await findDenial(broker, rid),
        freeze: request.frozen_by,
      };
    case "canceled":
    case "expired":
      return { state: request.state };
  }
}

/** Somebody else changed the state between reading and redeeming: read again. Still approved means a pairing ended. */
async function afterLostRace(
  broker: Broker,
  agent: AuthenticatedAgent,
  given: { rid: string; idempotencyKey: string | undefined },
  before: RequestRow,
): Promise<Redemption> {
  const after = await findForAgent(broker.db, { rid: given.rid, clientId: agent.clientId });
  if (after?.state === before.state) return { state: "withdrawn" };
  return redeem(broker, agent, given);
}

async function findDenial(broker: Broker, rid: string): Promise<DeniedDecision | undefined> {
  const decisions = await listDecisions(broker.db, rid);
  const denial = decisions.find(({ kind }) => kind === "deny")?.decision;
  return denial?.decision === "deny" ? denial : undefined;
}

/**
 * The evidence of a request that is over for its agent. It never opens an effect.
 * @throws ProtocolError `not_found`, `not_redeemed`
 */
export async function evidenceOf(
  broker: Broker,
  agent: AuthenticatedAgent,
  rid: string,
): Promise<Evidence> {
  const request = await findForAgent(broker.db, { rid, clientId: agent.clientId });
  if (!request) throw new ProtocolError("not_found");
  if (!["redeemed", "reported", "denied"].includes(request.state)) {
    throw new ProtocolError("not_redeemed");
  }
  return readEvidence(broker, agent, request);
}

async function readEvidence(
  broker: Broker,
  agent: AuthenticatedAgent,
  request: RequestRow,
): Promise<Evidence> {
  const { rid, client_id: clientId, approvers } = request;
  const parts = await readEvidenceParts(broker.db, { rid, clientId, approvers });
  return {
    v: 1,
    request: request.request,
    req_nonce: request.req_nonce,
    agent_jwk: agent.jwk,
    pairings: parts.acceptances,
    chains: parts.chains,
    decisions: parts.decisions,
    leaves: await proven(broker, rid, parts),
  };
}

/** Every leaf of a request, with its proof as soon as it is under a checkpoint. */
async function proven(
  broker: Broker,
  rid: string,
  { leaves, head }: EvidenceParts,
): Promise<LoggedLeaf[]> {
  const indices = leaves.flatMap(({ index }) => (index === null ? [] : [index]));
  const proofs = await proveLeaves(broker, head, indices);
  // Those without a place come last.
  return leaves.map(({ kind, digest, salt }, at) => {
    const proof = proofs[at];
    return { record: { v: 1, kind, digest, salt, rid }, ...(proof === undefined ? {} : { proof }) };
  });
}

/** Wakes the polls of requests whose leaves came under a checkpoint. */
export function tellLogged(bus: EventBus, rids: readonly string[]): void {
  for (const rid of rids) bus.publish({ rid, approvers: [] });
}

/**
 * Appends the agent's signed report of what became of the action. The same report again changes nothing.
 * @throws ProtocolError `not_found`, `not_redeemed`, `invalid_binding`, `outcome_out_of_order`
 */
export async function report(
  broker: Broker,
  agent: AuthenticatedAgent,
  rid: string,
  jws: string,
): Promise<RequestRow> {
  const request = await findForAgent(broker.db, { rid, clientId: agent.clientId });
  if (!request) throw new ProtocolError("not_found");
  const outcome = await verifyOutcome(jws, agent.jwk);
  const bound =
    outcome.rid === rid && outcome.ar_hash === request.ar_hash && outcome.ctx === request.ctx;
  if (!bound) throw new ProtocolError("invalid_binding");
  const digest = sha256Text(readJws(jws, "countersign-outcome+jwt").payload);
  const given = {
    ...{ rid, clientId: agent.clientId, n: outcome.n, digest, outcome: jws },
    sealedSha256: outcome.sealed_sha256,
  };
  const inserted = await insertOutcome(broker.db, given).catch(refuseConflict("conflict"));
  if (inserted) {
    tell(broker, rid, agent.clientId, request.approvers, "reported");
    return { ...request, state: lifecycle.report.to, outcomes: outcome.n };
  }
  const after = (await findForAgent(broker.db, { rid, clientId: agent.clientId })) ?? request;
  const stored = (await listOutcomes(broker.db, rid)).find(({ n }) => n === outcome.n);
  if (stored?.digest === digest) return after;
  const redeemed = lifecycle.report.from.some((state) => state === after.state);
  throw new ProtocolError(redeemed ? "outcome_out_of_order" : "not_redeemed");
}

/**
 * Withdraws a request for its agent, and the prompt from the phones. Canceling again changes nothing.
 * @throws ProtocolError `not_found`, `already_settled`
 */
export async function cancel(
  broker: Broker,
  agent: AuthenticatedAgent,
  rid: string,
): Promise<RequestRow> {
  const request = await findForAgent(broker.db, { rid, clientId: agent.clientId });
  if (!request) throw new ProtocolError("not_found");
  const canceled = await cancelRequest(broker.db, {
    rid,
    clientId: agent.clientId,
    arHash: request.ar_hash,
  });
  if (canceled) tell(broker, rid, agent.clientId, request.approvers, "canceled");
  const after = await findForAgent(broker.db, { rid, clientId: agent.clientId });
  if (!after || !terminalStates.includes(after.state)) throw new ProtocolError("already_settled");
  return after;
}

/** Settles what nobody answered in time. @returns how many requests expired */
export async function expireOverdue(broker: Broker): Promise<number> {
  const overdue = await findOverdue(broker.db);
  for (const { rid, ar_hash: arHash } of overdue) {
    const expired = await expireRequest(broker.db, { rid, arHash });
    if (expired) tell(broker, rid, expired.client_id, expired.approvers, "expired");
  }
  return overdue.length;
}
