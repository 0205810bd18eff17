import type { Approved, Claimed, NotApproved, Pending, RefusedByPolicy } from "../client/answer.js";

/** How the command ends. Scripts rely on these: a number never changes its meaning. */
export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  denied: 10,
  expired: 11,
  canceled: 12,
  unreachable: 13,
  refused_by_policy: 14,
  integrity_mismatch: 15,
  unknown: 16,
  reported: 17,
  frozen: 18,
} as const;

/** 0 only for what may go on: a request that was taken, an approval that is this call's. */
export function exitCodeOf(
  answer: Approved | Claimed | NotApproved | Pending | RefusedByPolicy,
): number {
  switch (answer.status) {
    case "pending":
    case "approved":
    case "claimed":
      return exitCodes.ok;
    default:
      return exitCodes[answer.status];
  }
}
