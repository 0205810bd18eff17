import type { Action, OutcomeStatus } from "@countersign/shared";
import type { FinalRecord } from "../journal/records.js";
import type { ChangedPrecondition } from "../preconditions/registry.js";

/** The broker holds the request and a person can see it. */
export interface Pending {
  status: "pending";
  rid: string;
  /** Show it beside the agent: the phone shows the same one. */
  matchCode: string;
  /** After this nothing can be approved or executed any more. */
  deadline: Date;
}

/** Verified: the pinned approvers said yes to exactly this. Nothing is used yet; `claim` does that. */
export interface Approved {
  status: "approved";
  rid: string;
  action: Action;
  approvers: string[];
}

/** A person said no: by a device signature that this agent verified itself. */
export interface Denied {
  status: "denied";
  rid: string;
  approver: string;
  /** In the person's own words. Text from outside: escape it where it is shown. */
  reason?: string;
}

/** An approver stopped this agent as a whole, by a device signature that it verified itself; only they lift it. */
export interface Frozen {
  status: "frozen";
  rid: string;
  approver: string;
}

/** The agent's own deadline passed. Nobody refused. */
export interface Expired {
  status: "expired";
  rid: string;
}

/** This agent took its request back. */
export interface Canceled {
  status: "canceled";
  rid: string;
}

/** No answer that proves anything: nothing was executed, and nobody is said to have refused. */
export interface Unreachable {
  status: "unreachable";
  rid: string;
  code: string;
}

/** The agent's own rules refuse it; nobody was asked. */
export interface RefusedByPolicy {
  status: "refused_by_policy";
  code: string;
}

/** What came back, or the world, is not what was to be approved. */
export interface IntegrityMismatch {
  status: "integrity_mismatch";
  rid: string;
  code: string;
  /** Preconditions that no longer held; the approval is used up. */
  changed: ChangedPrecondition[];
  /** The two signed notes of a log that contradicts itself. Text from outside: escape it where it is shown. */
  checkpoints?: { remembered: string; shown: string };
}

/** Execution began, and nobody knows how it ended: it waits for a person (`resolve`), never for a retry. */
export interface Unknown {
  status: "unknown";
  rid: string;
  /** `in_progress`: a process at work holds it. */
  code: "interrupted" | "in_progress";
}

/** The approval was used before, and this is what became of it. */
export interface Reported {
  status: "reported";
  rid: string;
  outcome: { n: number; status: OutcomeStatus; code?: string };
}

/** The approval is this call's, and used from here on: execute exactly this action, now, and report. */
export interface Claimed {
  status: "claimed";
  rid: string;
  /** Parsed again from the approved bytes, and frozen. */
  action: Action;
}

/** Everything that opens no effect. */
export type NotApproved =
  | Denied
  | Frozen
  | Expired
  | Canceled
  | Unreachable
  | IntegrityMismatch
  | Unknown
  | Reported;

/** What a final record of the journal says to whoever asks again. */
export function answerOfFinal(rid: string, final: Omit<FinalRecord, "v" | "kind">): NotApproved {
  const { status, code = status, approver = "", reason } = final;
  switch (status) {
    case "denied":
      return { status, rid, approver, ...(reason === undefined ? {} : { reason }) };
    case "frozen":
      return { status, rid, approver };
    case "unreachable":
      return { status, rid, code };
    case "integrity_mismatch":
      return { status, rid, code, changed: [] };
    case "expired":
    case "canceled":
      return { status, rid };
  }
}
