import {
  type Approval,
  approverOf,
  type Checkpoint,
  credentialOf,
  type Denial,
  type DeniedDecision,
  type Evidence,
  fromBase64url,
  hash,
  ProtocolError,
  type Statement,
  type Tree,
  thumbprint,
  toBase64url,
  verifyApproval,
  verifyDenial,
  verifyLogged,
} from "@countersign/shared";
import { keysOf, logKeyOf, type Pin } from "../home/pins.js";
import type { OwnRequest } from "./own-request.js";

/** What evidence is worth. `code` says which doubt stopped it. */
export type Verdict =
  | {
      verdict: "approved";
      statements: Statement[];
      /** Every decision is under it. Whether it continues the log as it was known is for `followEvidence` to say. */
      checkpoint: Checkpoint;
      /** The log as the approvers' phones saw it. */
      notarised: Tree[];
    }
  | { verdict: "denied"; denial: Denial }
  | { verdict: "refused"; code: string };

/**
 * Steps 1 to 3 of the agent's side: is this really a yes of enough distinct pinned people to this request?
 * Every decision in the evidence has to be sound, and one sound no outweighs any number of yes.
 * Not here: whether the log continues what was known of it, the deadline, the journal and the preconditions, which `claim` checks after it.
 * @param pins as they are now: an approver who was unpaired meanwhile counts for nothing
 * @see protocol section 5, steps 1 to 3
 */
export async function verifyEvidence(
  evidence: Evidence,
  own: OwnRequest,
  pins: readonly Pin[],
): Promise<Verdict> {
  try {
    requireOwnRequest(evidence, own);
    const denial = await findDenial(evidence, own, pins);
    if (denial) return { verdict: "denied", denial };
    const approvals = await verifyEveryDecision(evidence, own, pins);
    requireQuorum(approvals, own);
    const checkpoint = await requireLogged(evidence, own, pins);
    const statements = approvals.map(({ statement }) => statement);
    const notarised = statements.flatMap((given) => given.checkpoint ?? []);
    return { verdict: "approved", statements, checkpoint, notarised };
  } catch (error) {
    return { verdict: "refused", code: doubt(error) };
  }
}

/** @throws ProtocolError when this is no denial of this request by one of its pinned approvers */
export async function verifyOwnDenial(
  decision: DeniedDecision,
  own: OwnRequest,
  pins: readonly Pin[],
): Promise<Denial> {
  const { approvers } = own.request.detail;
  const expected = { issuer: own.site.issuer, rid: own.rid, agentJkt: own.agent.kid, approvers };
  return verifyDenial(decision, expected, keysOf(pinOf(approverOf(decision), pins)));
}

/** Step 1, what surrounds the statements: the very AR that this agent signed, its key, its nonce, its manifest. */
function requireOwnRequest(evidence: Evidence, own: OwnRequest): void {
  const foreign =
    (evidence.request !== own.jws && "request") ||
    (thumbprint(evidence.agent_jwk) !== own.agent.kid && "agent_jwk") ||
    (evidence.req_nonce !== own.reqNonce && "req_nonce") ||
    (evidence.manifest !== undefined &&
      evidence.manifest !== toBase64url(own.manifestBytes) &&
      "manifest");
  if (foreign) throw new ProtocolError("invalid_binding", { reason: foreign });
}

async function findDenial(evidence: Evidence, own: OwnRequest, pins: readonly Pin[]) {
  for (const decision of evidence.decisions) {
    if (decision.decision !== "deny") continue;
    const denial = await verifyOwnDenial(decision, own, pins).catch(() => undefined);
    if (denial) return denial;
  }
  return undefined;
}

interface VerifiedApproval {
  statement: Statement;
  /** Thumbprint of the key that made the assertion: two ids of one key are one credential. */
  credentialKid: string;
}

/** Step 1, every member of S; step 2, assertion and device signature by keys pinned for `S.approver`. */
async function verifyEveryDecision(
  evidence: Evidence,
  own: OwnRequest,
  pins: readonly Pin[],
): Promise<VerifiedApproval[]> {
  const approvals: VerifiedApproval[] = [];
  for (const decision of evidence.decisions) {
    if (decision.decision === "deny") await verifyOwnDenial(decision, own, pins);
    else approvals.push(await verifyOne(decision, own, pins));
  }
  const approvers = approvals.map(({ statement }) => statement.approver);
  if (new Set(approvers).size !== approvers.length) {
    throw new ProtocolError("invalid_binding", { reason: "approver_twice" });
  }
  return approvals;
}

async function verifyOne(
  approval: Approval,
  own: OwnRequest,
  pins: readonly Pin[],
): Promise<VerifiedApproval> {
  const keys = keysOf(pinOf(approverOf(approval), pins));
  const statement = await verifyApproval(approval, own, keys);
  return { statement, credentialKid: thumbprint(credentialOf(approval, keys).jwk) };
}

/** Step 2, the count: people, passkeys and devices each have to be as many as this agent asked for. */
function requireQuorum(approvals: readonly VerifiedApproval[], own: OwnRequest): void {
  const distinct = [
    new Set(approvals.map(({ statement }) => statement.approver)),
    new Set(approvals.map(({ credentialKid }) => credentialKid)),
    new Set(approvals.map(({ statement }) => statement.device_kid)),
  ];
  if (distinct.some(({ size }) => size < own.request.detail.quorum)) {
    throw new ProtocolError("invalid_binding", { reason: "quorum" });
  }
}

/**
 * Step 3, the first half: each approval's very leaf is in the log of the pinned key, and all of them are under one
 * checkpoint.
 */
async function requireLogged(
  { decisions, leaves }: Evidence,
  own: OwnRequest,
  pins: readonly Pin[],
): Promise<Checkpoint> {
  const logKey = logKeyOf(pins);
  const checkpoints = await Promise.all(
    decisions.map(async ({ decision, statement }) => {
      const digest = hash(decision, fromBase64url(statement));
      const leaf = leaves.find(
        ({ record, proof }) =>
          record.kind === decision &&
          record.rid === own.rid &&
          record.digest === digest &&
          proof !== undefined,
      );
      if (leaf?.proof === undefined) throw new ProtocolError("log_invalid", { reason: "leaf" });
      return verifyLogged(leaf.record, leaf.proof, logKey);
    }),
  );
  const [checkpoint] = checkpoints;
  if (!checkpoint || checkpoints.some(({ note }) => note !== checkpoint.note)) {
    throw new ProtocolError("log_invalid", { reason: "checkpoints" });
  }
  return checkpoint;
}

/** Nobody vouches for another: whoever was not paired with this agent has no keys here (section 6). */
function pinOf(approver: string, pins: readonly Pin[]): Pin {
  const pin = pins.find((candidate) => candidate.approver === approver);
  if (!pin) throw new ProtocolError("invalid_binding", { reason: "approver_not_pinned" });
  return pin;
}

/** Anything but a refusal of the protocol is a bug; it does not become an approval either. */
function doubt(error: unknown): string {
  if (!(error instanceof ProtocolError)) return "internal";
  return error.reason ? `${error.code}:${error.reason}`.slice(0, 128) : error.code;
}
