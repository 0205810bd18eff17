import { approverOf, type Json, oauthError } from "@countersign/shared";
import * as z from "zod/mini";
import type { CallAnswer } from "../http/answer.js";
import { backOffMs, pause } from "../http/retry.js";
import type { Approved, NotApproved } from "./answer.js";
import { cancelRequest } from "./cancel.js";
import { refreshPins } from "./chain.js";
import type { ClientContext } from "./context.js";
import { remainingMs, toleratedSkewMs, tooLate } from "./deadline.js";
import { freezerOf, frozenBy } from "./freeze.js";
import type { HeldRequest } from "./held-request.js";
import { followEvidence } from "./log.js";
import { answerFromJournal, finish, finishRedeemed } from "./settle.js";
import { verifyEvidence, verifyOwnDenial } from "./verify.js";

/** Between two polls that came back at once, in milliseconds; `slow_down` adds five seconds (RFC 8628, 3.5). */
const intervalMs = 1_000;
const slowDownMs = 5_000;

/**
 * Path, second half: polls until there is an answer that is true or none can be any more. The broker's words
 * decide nothing here: a yes and a no are verified, a bare no is `unreachable`, and only the agent's own
 * deadline makes a request `expired`. Aborting takes the request back.
 */
export async function awaitAnswer(
  context: ClientContext,
  held: HeldRequest,
  signal?: AbortSignal,
): Promise<Approved | NotApproved> {
  const { broker, clock } = context;
  const { own, deadline, idempotencyKey } = held;
  let spacingMs = intervalMs;
  for (let failures = 0; !held.evidence; ) {
    if (signal?.aborted) return cancelRequest(context, own);
    const leftMs = remainingMs(deadline, clock);
    if (leftMs <= 0) return finish(context, own, { status: "expired" });
    const polledMs = clock.monotonic();
    const answer = await broker.redeem(own.rid, idempotencyKey, Math.ceil(leftMs), signal);
    if (answer.ok) {
      held.evidence = answer.value.evidence;
      break;
    }
    if (signal?.aborted) continue;
    if (answer.transient) {
      const delayMs = Math.max(answer.retryAfterMs, backOffMs(failures++));
      await pause(Math.max(0, Math.min(delayMs, remainingMs(deadline, clock))), signal);
      continue;
    }
    failures = 0;
    if (answer.code === "slow_down") spacingMs += slowDownMs;
    else if (answer.code !== "authorization_pending") return ended(context, held, answer, signal);
    const restMs = polledMs + spacingMs - clock.monotonic();
    await pause(Math.max(0, Math.min(restMs, remainingMs(deadline, clock))), signal);
  }
  return weigh(context, held);
}

/** What the evidence in hand is worth now. Asked again just before the effect. */
export async function weigh(
  context: ClientContext,
  held: HeldRequest,
): Promise<Approved | NotApproved> {
  const { own, evidence, deadline } = held;
  if (!evidence) return finish(context, own, { status: "unreachable", code: "no_evidence" });
  const untilMs = context.clock.monotonic() + remainingMs(deadline, context.clock);
  const chains = await refreshPins(context, evidence.decisions.map(approverOf), { untilMs });
  if (chains.status === "integrity_mismatch") return finishRedeemed(context, own, chains);
  const frozen = frozenBy(await context.pins.all());
  if (frozen !== undefined) {
    return finishRedeemed(context, own, { status: "frozen", approver: frozen });
  }
  // Not for good: the evidence stays in hand, and what could not be fetched may be the next time.
  if (chains.status === "unreachable" && remainingMs(deadline, context.clock) > 0) {
    return { status: "unreachable", rid: own.rid, code: chains.code };
  }
  const verdict = await verifyEvidence(evidence, own, await context.pins.all());
  if (verdict.verdict === "denied") {
    const { approver, reason } = verdict.denial;
    return finishRedeemed(context, own, denied(approver, reason));
  }
  if (verdict.verdict === "refused") {
    const { code } = verdict;
    return finishRedeemed(context, own, { status: "integrity_mismatch", code });
  }
  const followed = await followEvidence(context, verdict, { untilMs });
  if (followed.status === "integrity_mismatch") {
    const { status, code, checkpoints } = followed;
    const answer = await finishRedeemed(context, own, { status, code });
    return answer.status === status && checkpoints ? { ...answer, checkpoints } : answer;
  }
  // Not for good either.
  if (followed.status === "unreachable" && remainingMs(deadline, context.clock) > 0) {
    return { status: "unreachable", rid: own.rid, code: followed.code };
  }
  const late =
    followed.status === "unreachable"
      ? "expired"
      : tooLate(deadline, context.clock, context.broker.serverTime());
  if (late === "expired") return finishRedeemed(context, own, { status: "expired" });
  if (late) return finishRedeemed(context, own, { status: "unreachable", code: late });
  const approvers = verdict.statements.map(({ approver }) => approver);
  return { status: "approved", rid: own.rid, action: own.manifest.action, approvers };
}

/** The broker says that there will be no evidence. Only what can be verified of that is said to be so. */
async function ended(
  context: ClientContext,
  { own, deadline }: HeldRequest,
  answer: CallAnswer<unknown> & { ok: false; transient: false },
  signal: AbortSignal | undefined,
): Promise<NotApproved> {
  if (answer.code === "access_denied") {
    const denial = await verifiedDenial(context, own, answer.body);
    if (denial) return finish(context, own, denied(denial.approver, denial.reason));
    const approver = await verifiedFreeze(context, answer.body);
    if (approver !== undefined) return finish(context, own, { status: "frozen", approver });
  }
  if (answer.code === "expired_token") {
    const leftMs = remainingMs(deadline, context.clock);
    // Two honest clocks differ a little: within that, it is the agent's own deadline that is waited for.
    if (leftMs <= toleratedSkewMs) {
      await pause(Math.max(0, leftMs), signal);
      return finish(context, own, { status: "expired" });
    }
  }
  // Another process of this home may hold the evidence: what it makes of it must not be forestalled here.
  if (answer.code === "invalid_grant") {
    const entry = await context.journal.read(own.rid);
    const settled = entry && (await answerFromJournal(context, own, entry));
    return settled ?? { status: "unreachable", rid: own.rid, code: answer.code };
  }
  return finish(context, own, { status: "unreachable", code: answer.code });
}

const denied = (approver: string, reason: string | undefined) =>
  ({ status: "denied", approver, ...(reason === undefined ? {} : { reason }) }) as const;

/** The F that came with the refusal, or the one that the chains tell of. */
async function verifiedFreeze(
  context: ClientContext,
  body: Json | undefined,
): Promise<string | undefined> {
  const { clock, pins } = context;
  await refreshPins(context, [], { untilMs: clock.monotonic() });
  const pinned = await pins.all();
  const given = z.safeParse(oauthError, body).data?.freeze;
  return frozenBy(pinned) ?? (given && (await freezerOf(context, given, pinned)));
}

async function verifiedDenial(
  { pins }: ClientContext,
  own: HeldRequest["own"],
  body: Json | undefined,
) {
  const decision = z.safeParse(oauthError, body).data?.decision;
  if (!decision) return undefined;
  const pinned = await pins.all();
  return verifyOwnDenial(decision, own, pinned).catch(() => undefined);
}
