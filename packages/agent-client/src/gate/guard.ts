import { type Action, visible } from "@countersign/shared";
import type { Claimed, NotApproved, Pending, RefusedByPolicy } from "../client/answer.js";
import { claimApproval } from "../client/claim.js";
import type { ClientContext } from "../client/context.js";
import type { HeldRequest } from "../client/held-request.js";
import { recordOutcome } from "../client/report.js";
import { type ActionProposal, ask, type RequestOptions } from "../client/request.js";
import { awaitAnswer } from "../client/wait.js";
import type { ChangedPrecondition } from "../preconditions/registry.js";

/** How often one `guard` asks when the world keeps changing between the yes and the effect. */
const maxRequests = 3;

/** Does the thing, from the approved action and from nothing else. Aborted or not, what it did is reported. */
export type Execute<T> = (action: Action, options: { signal: AbortSignal }) => Promise<T> | T;

export interface GuardOptions<T> extends RequestOptions {
  /** Called with each request: show its match code beside the agent. */
  onPending?: (pending: Pending) => void;
  /** The octets of what came out, whose salted hash goes into the outcome. */
  resultOf?: (value: T) => Uint8Array;
}

export type Guarded<T> =
  | { status: "approved"; rid: string; outcome: "succeeded"; value: T }
  | { status: "approved"; rid: string; outcome: "failed"; error: unknown }
  | NotApproved
  | RefusedByPolicy;

/**
 * The whole path around one effect: ask, wait, verify, claim, check again, execute, report.
 * When a precondition changed, the approval is burned and the person is asked again, with what changed among the
 * reasons, at most three times in all. `signal` takes the request back until the claim; from then on it is handed
 * to `execute`, which alone knows how far it is, and what it returns or throws is what is reported.
 */
export async function guardAction<T>(
  context: ClientContext,
  hold: (held: HeldRequest) => void,
  proposal: ActionProposal,
  execute: Execute<T>,
  options: GuardOptions<T>,
): Promise<Guarded<T>> {
  const { onPending, resultOf, signal, ...request } = options;
  // Plain bytes are a picture of now, also when they are shown again: the person sees how old it is.
  const capturedAt = request.capturedAt ?? new Date(context.clock.now());
  const fixed = request.screenshot instanceof Uint8Array ? { capturedAt } : {};
  let reasons = request.reasons ?? [];
  for (let requests = 1; ; requests++) {
    const asking = { ...request, ...fixed, reasons, ...(signal ? { signal } : {}) };
    const { answer, held } = await ask(context, proposal, asking);
    if (!held) return answer;
    hold(held);
    onPending?.(answer);
    const claimed = await askedAndClaimed(context, held, signal);
    if (claimed.status === "claimed") return perform(context, held, claimed, execute, options);
    const changed = claimed.status === "integrity_mismatch" ? claimed.changed : [];
    if (changed.length === 0 || requests === maxRequests) return claimed;
    reasons = [...(request.reasons ?? []), ...changed.map(describe)].slice(0, 32);
  }
}

async function askedAndClaimed(
  context: ClientContext,
  held: HeldRequest,
  signal: AbortSignal | undefined,
): Promise<Claimed | NotApproved> {
  const answer = await awaitAnswer(context, held, signal);
  return answer.status === "approved" ? claimApproval(context, held) : answer;
}

async function perform<T>(
  context: ClientContext,
  held: HeldRequest,
  { rid, action }: Claimed,
  execute: Execute<T>,
  { signal = new AbortController().signal, resultOf }: GuardOptions<T>,
): Promise<Guarded<T>> {
  const startedAtMs = held.claimedAtMs;
  if (signal.aborted) {
    await recordOutcome(context, held.own, { status: "failed", code: "canceled", startedAtMs });
    return { status: "canceled", rid };
  }
  const done = await attempt(() => execute(action, { signal }));
  if (!done.ok) {
    await recordOutcome(context, held.own, { status: "failed", code: "threw", startedAtMs });
    return { status: "approved", rid, outcome: "failed", error: done.error };
  }
  const result = resultOf?.(done.value);
  await recordOutcome(context, held.own, { status: "succeeded", result, startedAtMs });
  return { status: "approved", rid, outcome: "succeeded", value: done.value };
}

type Attempt<T> = { ok: true; value: T } | { ok: false; error: unknown };

async function attempt<T>(execute: () => Promise<T> | T): Promise<Attempt<T>> {
  try {
    return { ok: true, value: await execute() };
  } catch (error) {
    return { ok: false, error };
  }
}

const describe = ({ kind, subject, approved, now }: ChangedPrecondition): string =>
  visible(
    `changed after the approval: ${kind} ${shorten(subject)}, ${approved.slice(0, 8)} -> ${now?.slice(0, 8) ?? "not readable"}`,
  );

/** A reason holds 500 characters; the precondition itself is shown whole beside it. */
const shorten = (subject: string): string =>
  subject.length <= 300 ? subject : `${subject.slice(0, 140)}...${subject.slice(-140)}`;
