import { type Action, visible } from "@countersign/shared";
import type { Picture } from "../client/after-picture.js";
import type { Claimed, NotApproved, Pending, RefusedByPolicy } from "../client/answer.js";
import { cancelRequest } from "../client/cancel.js";
import { claimApproval } from "../client/claim.js";
import type { ClientContext } from "../client/context.js";
import type { HeldRequest } from "../client/held-request.js";
import { requirePicture } from "../client/picture.js";
import { recordOutcome } from "../client/report.js";
import { type ActionProposal, ask, type RequestOptions } from "../client/request.js";
import { awaitAnswer } from "../client/wait.js";
import type { ChangedPrecondition } from "../preconditions/registry.js";
import { endingOf } from "../transactions/ending.js";

/** How often one `guard` asks when the world keeps changing between the yes and the effect. */
const maxRequests = 3;

/** Does the thing, from the approved action and from nothing else. Aborted or not, what it did is reported. */
export type Execute<T> = (action: Action, options: { signal: AbortSignal }) => Promise<T> | T;

export interface GuardOptions<T> extends RequestOptions {
  /** Called with each request: show its match code beside the agent. What it throws takes the request back. */
  onPending?: (pending: Pending) => Promise<void> | void;
  /** The octets of what came out, whose salted hash goes into the outcome. */
  resultOf?: (value: T) => Uint8Array;
  /**
   * Takes a picture once `execute` has ended, well or badly: PNG, JPEG or WebP. It comes back in the answer, for the
   * model, and goes to the approvers sealed.
   */
  afterPicture?: () => Promise<Uint8Array> | Uint8Array;
}

/** What there is to see after the effect, whatever became of it. */
export interface After {
  afterPicture?: Uint8Array;
  /** Why there is none, or none that a phone could show: what `afterPicture` threw. It was reported without. */
  afterPictureError?: unknown;
}

export type Guarded<T> =
  /** `resultError`: what `resultOf` threw. It happened all the same, and was reported without a result. */
  | ({
      status: "approved";
      rid: string;
      outcome: "succeeded";
      value: T;
      resultError?: unknown;
    } & After)
  | ({ status: "approved"; rid: string; outcome: "failed"; error: unknown } & After)
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
  const { onPending, resultOf, afterPicture, signal, ...request } = options;
  // Plain bytes are a picture of now, also when they are shown again: the person sees how old it is.
  const capturedAt = request.capturedAt ?? new Date(context.clock.now());
  const fixed = request.screenshot instanceof Uint8Array ? { capturedAt } : {};
  let reasons = request.reasons ?? [];
  for (let requests = 1; ; requests++) {
    const asking = { ...request, ...fixed, reasons, ...(signal ? { signal } : {}) };
    const { answer, held } = await ask(context, proposal, asking);
    if (!held) return answer;
    hold(held);
    await show(context, held, () => onPending?.(answer));
    const claimed = await askedAndClaimed(context, held, signal);
    if (claimed.status === "claimed") return perform(context, held, claimed, execute, options);
    const changed = claimed.status === "integrity_mismatch" ? claimed.changed : [];
    if (changed.length === 0 || requests === maxRequests) return claimed;
    reasons = [...(request.reasons ?? []), ...changed.map(describe)].slice(0, 32);
  }
}

/** Whoever cannot be shown the match code must not be waited for: nobody could compare it. */
async function show(
  context: ClientContext,
  held: HeldRequest,
  shown: () => Promise<void> | void,
): Promise<void> {
  try {
    await shown();
  } catch (error) {
    await cancelRequest(context, held.own);
    throw error;
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
  { signal = new AbortController().signal, resultOf, afterPicture }: GuardOptions<T>,
): Promise<Guarded<T>> {
  const startedAtMs = held.claimedAtMs;
  if (signal.aborted) {
    await recordOutcome(context, held.own, { status: "failed", code: "canceled", startedAtMs });
    return { status: "canceled", rid };
  }
  const done = await attempt(() => execute(action, { signal }));
  const endedAtMs = context.clock.now();
  const { after, picture } = await lookAround(afterPicture);
  const times = { startedAtMs, endedAtMs };
  if (!done.ok) {
    await recordOutcome(context, held.own, { ...endingOf(done.error), picture, ...times });
    return { status: "approved", rid, outcome: "failed", error: done.error, ...after };
  }
  // It happened: that nobody can say what came out does not change it.
  const result = await attempt(() => octetsOf(resultOf?.(done.value)));
  const octets = result.ok ? result.value : undefined;
  const report = { status: "succeeded", result: octets, picture, ...times } as const;
  await recordOutcome(context, held.own, report);
  const succeeded = { status: "approved", rid, outcome: "succeeded", value: done.value } as const;
  return { ...succeeded, ...(result.ok ? {} : { resultError: result.error }), ...after };
}

/** Nobody's picture undoes what happened: whatever is wrong with it stands beside the outcome. */
async function lookAround(
  afterPicture: GuardOptions<unknown>["afterPicture"],
): Promise<{ after: After; picture?: Picture }> {
  if (!afterPicture) return { after: {} };
  const taken = await attempt(async () => afterPicture());
  if (!taken.ok) return { after: { afterPictureError: taken.error } };
  const read = await attempt(() => requirePicture(taken.value));
  const after = { afterPicture: taken.value };
  if (!read.ok) return { after: { ...after, afterPictureError: read.error } };
  return { after, picture: read.value };
}

function octetsOf(result: Uint8Array | undefined): Uint8Array | undefined {
  if (result === undefined || result instanceof Uint8Array) return result;
  throw new TypeError("resultOf gave no Uint8Array");
}

type Attempt<T> = { ok: true; value: T } | { ok: false; error: unknown };

async function attempt<T>(execute: () => Promise<T> | T): Promise<Attempt<T>> {
  try {
    return { ok: true, value: await execute() };
  } catch (error) {
    return { ok: false, error };
  }
}

/** A reason holds 500 characters; the precondition itself is shown whole beside it. */
const describe = ({ kind, subject, approved, now }: ChangedPrecondition): string => {
  const what = shorten(visible(`changed after the approval: ${kind} ${subject}`));
  return `${what}, ${approved.slice(0, 8)} -> ${now?.slice(0, 8) ?? "not readable"}`;
};

/** Shortened as it is shown, by whole characters: half a surrogate pair is no text. */
function shorten(shown: string): string {
  const characters = Array.from(shown);
  const leftOut = characters.length - 200;
  if (leftOut <= 0) return shown;
  const start = characters.slice(0, 130).join("");
  return `${start} [${leftOut} characters left out] ${characters.slice(-70).join("")}`;
}
