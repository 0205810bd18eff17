import { contextHash, type Json, parseManifest } from "@countersign/shared";
import { toNumericDate } from "../clock.js";
import { changedPreconditions } from "../preconditions/registry.js";
import type { Claimed, NotApproved } from "./answer.js";
import type { ClientContext } from "./context.js";
import { tooLate } from "./deadline.js";
import { frozenBy } from "./freeze.js";
import type { HeldRequest } from "./held-request.js";
import { recordOutcome } from "./report.js";
import { settledAnswer } from "./settle.js";
import { weigh } from "./wait.js";

/**
 * Uses an approval up, and hands out what to execute. The steps are those of protocol section 5, in its order;
 * 1 to 3 are done again, with the pins as they are now.
 */
export async function claimApproval(
  context: ClientContext,
  held: HeldRequest,
): Promise<Claimed | NotApproved> {
  const { journal, clock, measures, broker, pins } = context;
  const { own, deadline } = held;

  // 1 to 4: decisions, keys, quorum, the log, deadline, freezes.
  const weighed = await weigh(context, held);
  if (weighed.status !== "approved") return weighed;

  // 5: from here on this approval is used, whatever happens.
  const claimedAtMs = clock.now();
  if (!(await journal.claim(own.rid, toNumericDate(claimedAtMs)))) {
    return settledAnswer(context, own);
  }
  const burn = (code: string) =>
    recordOutcome(context, own, { status: "failed", code, startedAtMs: claimedAtMs });

  // 6: the world as the approver saw it.
  const changed = await changedPreconditions(weighed.action.preconditions, measures);
  if (changed.length > 0) {
    const code = "precondition_changed";
    await burn(code);
    return { status: "integrity_mismatch", rid: own.rid, code, changed };
  }

  // 7, from the approved bytes; and 4 again, since measuring may have taken long or the machine slept.
  const action = parseManifest(own.manifestBytes).action;
  if (contextHash(own.manifestBytes) !== own.request.detail.ctx) {
    await burn("integrity_mismatch");
    return { status: "integrity_mismatch", rid: own.rid, code: "ctx", changed: [] };
  }
  const frozen = frozenBy(await pins.all());
  if (frozen !== undefined) {
    await burn("frozen");
    return { status: "frozen", rid: own.rid, approver: frozen };
  }
  const late = tooLate(deadline, clock, broker.serverTime());
  if (late) {
    await burn(late);
    if (late === "expired") return { status: "expired", rid: own.rid };
    return { status: "unreachable", rid: own.rid, code: late };
  }
  held.claimedAtMs = claimedAtMs;
  return { status: "claimed", rid: own.rid, action: deepFreeze(action) };
}

function deepFreeze<T extends object>(value: T): T {
  for (const inner of Object.values(value) as (Json | undefined)[]) {
    if (inner !== null && typeof inner === "object") deepFreeze(inner);
  }
  return Object.freeze(value);
}
