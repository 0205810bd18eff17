import type { Ceremony, Decision } from "@countersign/shared";
import { effect, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { CallError } from "../api/call.js";
import { listRequests, openCeremony, postDecision } from "../api/endpoints.js";
import { onChange } from "../api/events.js";
import { nowSeconds } from "../clock.js";
import { sentenceFor } from "../failure.js";
import { pickAlways } from "../preferences.js";
import type { SignedIn } from "../session.js";
import { strings } from "../strings.js";
import { wait } from "../wait.js";
import { noteArrival, noteWrongPick, readArrivals } from "./arrivals.js";
import { approve, deny } from "./decide.js";
import { type Opened, openRequest, type Progress, refreshProgress } from "./opened.js";
import { type CodeCheck, choicesFor, maxWrongPicks, mustPick } from "./pick-code.js";
import type { Verified } from "./verify.js";

export type ReviewView =
  | { kind: "loading" }
  | { kind: "missing" }
  | { kind: "failed"; sentence: string }
  | { kind: "open"; opened: Opened; progress: Progress };

/** What became of the person's own tap on this screen. */
export type Answer =
  | { kind: "none"; problem?: string }
  | { kind: "deciding" }
  | { kind: "sending" }
  | { kind: "unsent"; decision: Decision }
  | { kind: "given"; decision: Decision["decision"] };

export interface Review {
  view: ReadonlySignal<ReviewView>;
  answer: ReadonlySignal<Answer>;
  /** At hand before the tap, so that the passkey's dialogue opens straight from it. */
  ceremony: ReadonlySignal<Ceremony | null>;
  codeCheck: ReadonlySignal<CodeCheck>;
  pickCode: (code: string) => void;
  reload: () => void;
  approve: () => void;
  deny: (reason: string) => void;
  /** Freezes the agent behind it, which denies this and all that it has open. */
  freeze: () => void;
  sendAgain: () => void;
  close: () => void;
}

/** A ceremony is replaced this long before it runs out, in seconds. */
const spareSeconds = 45;
const retryMs = 4_000;

/** Opens one request for reading and deciding. Close it when its screen goes. */
export function openReview(rid: string, own: SignedIn): Review {
  const view = signal<ReviewView>({ kind: "loading" });
  const answer = signal<Answer>({ kind: "none" });
  const ceremony = signal<Ceremony | null>(null);
  const codeCheck = signal<CodeCheck>({ kind: "unknown" });
  const closing = new AbortController();

  const load = async () => {
    view.value = { kind: "loading" };
    try {
      const show = (opened: Opened, fetched: Progress) => {
        const { value: before } = view;
        // With the picture comes nothing newer about the request than what was heard since the text was shown.
        const progress = before.kind === "open" ? before.progress : fetched;
        view.value = { kind: "open", opened, progress };
        if (hintedEarly) void refresh();
        hintedEarly = false;
      };
      const verdict = await openRequest(rid, own, show, closing.signal);
      // What is only looked at, in the history for one, makes nobody used to its agent.
      if (verdict.kind === "verified" && isApprovable(view.value)) {
        codeCheck.value = await checkOf(verdict);
      }
    } catch (error) {
      const missing = error instanceof CallError && error.code === "not_found";
      view.value = missing ? { kind: "missing" } : { kind: "failed", sentence: sentenceFor(error) };
    }
  };

  /** While nothing was open yet: what is shown first may be older than that. */
  let hintedEarly = false;
  let [asked, shown] = [0, 0];
  const refresh = async () => {
    if (view.value.kind !== "open") {
      hintedEarly = true;
      return;
    }
    const round = ++asked;
    try {
      const progress = await refreshProgress(view.value.opened);
      // Answers may overtake each other: nothing older than what is shown.
      if (round < shown || view.value.kind !== "open") return;
      shown = round;
      // What was opened may be more by now, a picture for one, and is never less.
      view.value = { ...view.value, progress };
    } catch (error) {
      // The next hint or poll looks again; the notice about the connection says the rest.
      if (!(error instanceof CallError)) throw error;
    }
  };

  const send = async (decision: Decision) => {
    answer.value = { kind: "sending" };
    try {
      await postDecision(rid, decision);
      answer.value = { kind: "given", decision: decision.decision };
    } catch (error) {
      const lost =
        error instanceof CallError && ["unreachable", "unavailable"].includes(error.code);
      // The same bytes may be sent twice; another ceremony would be another decision.
      answer.value = lost
        ? { kind: "unsent", decision }
        : { kind: "none", problem: sentenceFor(error) };
      if (!lost) ceremony.value = null;
    }
    await refresh();
  };

  const decide = async (made: Promise<Decision>) => {
    answer.value = { kind: "deciding" };
    try {
      await send(await made);
    } catch (error) {
      answer.value = { kind: "none", problem: sentenceFor(error) };
    }
  };

  const denyWith = (reason: string) => {
    if (view.value.kind !== "open" || !own.device) return;
    const { agentJkt } = view.value.opened;
    void decide(deny({ rid, agentJkt, reason }, { site: own.site, device: own.device }));
  };

  const freezeAgent = async () => {
    if (view.value.kind !== "open" || !own.device || answer.value.kind !== "none") return;
    answer.value = { kind: "sending" };
    const { agentJkt } = view.value.opened;
    const reason = strings.review.frozenReason;
    // The agent first: were only this request denied, it could ask again at once.
    try {
      const { freeze } = await import("../keys/freeze.js");
      await freeze(agentJkt, { site: own.site, device: own.device });
    } catch (error) {
      answer.value = { kind: "none", problem: sentenceFor(error) };
      return;
    }
    await refresh();
    if (view.value.kind === "open" && canDeny(view.value.progress)) denyWith(reason);
    else answer.value = { kind: "given", decision: "deny" };
  };

  const pickCode = (code: string) => {
    if (codeCheck.value.kind !== "choose" || answer.value.kind !== "none") return;
    if (view.value.kind !== "open" || view.value.opened.verdict.kind !== "verified") return;
    const { matchCode } = view.value.opened.verdict;
    if (code === matchCode) {
      codeCheck.value = { kind: "chosen" };
      return;
    }
    const wrongPicks = noteWrongPick(rid);
    // Whatever this ceremony was opened for, it was not this code: another one takes its place at the server.
    ceremony.value = null;
    codeCheck.value = { kind: "choose", choices: choicesFor(matchCode), wrongPicks };
    if (wrongPicks >= maxWrongPicks) denyWith(strings.review.pick.deniedReason);
  };

  const stopListening = onChange(() => void refresh());
  const stopCeremonies = keepCeremony({ rid, own, view, answer, ceremony });
  void load();

  return {
    view,
    answer,
    ceremony,
    codeCheck,
    pickCode,
    reload: () => void load(),
    approve: () => {
      if (view.value.kind !== "open" || !ceremony.value || !own.device) return;
      // A second tap while the first one is under way must not sign twice.
      if (answer.value.kind !== "none") return;
      if (codeCheck.value.kind !== "compare" && codeCheck.value.kind !== "chosen") return;
      const { opened, progress } = view.value;
      if (!canApprove(opened, progress) || opened.verdict.kind !== "verified") return;
      if (nowSeconds() >= ceremony.value.expires_at) return;
      const { site, device } = own;
      const signer = { site, device, reqNonce: opened.reqNonce, tree: opened.tree };
      void decide(approve(opened.verdict, ceremony.value, signer));
    },
    deny: denyWith,
    freeze: () => void freezeAgent(),
    sendAgain: () => {
      if (answer.value.kind === "unsent") void send(answer.value.decision);
    },
    close: () => {
      closing.abort();
      stopListening();
      stopCeremonies();
    },
  };
}

/** How this request's code has to be checked. What cannot be learned makes it the harder way. */
async function checkOf({ agent, request, matchCode }: Verified): Promise<CodeCheck> {
  const { rid, claims } = request;
  const arrivals = readArrivals();
  noteArrival({ rid, agent: agent.agent_jkt, at: claims.iat });
  const inbox = await listRequests("inbox").catch(() => null);
  const pick = mustPick({
    pairedAt: agent.paired_at,
    askedAt: claims.iat,
    rid,
    agentJkt: agent.agent_jkt,
    arrivals,
    inbox: inbox?.requests ?? [],
    always: pickAlways.value || inbox === null,
  });
  if (!pick) return { kind: "compare" };
  const wrongPicks = arrivals.find((one) => one.rid === rid)?.wrongPicks ?? 0;
  return { kind: "choose", choices: choicesFor(matchCode), wrongPicks };
}

const isApprovable = (view: ReviewView): view is Extract<ReviewView, { kind: "open" }> =>
  view.kind === "open" && canApprove(view.opened, view.progress);

/** Everything but what the eye must have seen: that is the screen's to know. */
export const canApprove = (opened: Opened, progress: Progress): boolean =>
  opened.verdict.kind === "verified" && offersApproval(opened, progress);

/** Approve is there, asleep or not: what is verified so far, and the request's state, allow it. */
export function offersApproval({ decidable, verdict }: Opened, progress: Progress): boolean {
  return (
    decidable &&
    verdict.kind !== "refused" &&
    progress.state === "pending" &&
    progress.decided === undefined &&
    nowSeconds() < verdict.request.claims.exp
  );
}

/** A no counts until the approval was redeemed. */
export const canDeny = ({ state, decided }: Progress): boolean =>
  (state === "pending" || state === "approved") && decided !== "deny";

/**
 * Holds one live ceremony while the request can be approved. It is not replaced while a decision is under
 * way: the server keeps one for each device, and a new one would void what is being signed.
 */
function keepCeremony(review: {
  rid: string;
  own: SignedIn;
  view: ReadonlySignal<ReviewView>;
  answer: ReadonlySignal<Answer>;
  ceremony: Signal<Ceremony | null>;
}): () => void {
  const { rid, own, view, answer, ceremony } = review;
  return effect(() => {
    const { device } = own;
    const shown = view.value;
    const held = ceremony.value;
    if (!isApprovable(shown) || answer.value.kind !== "none" || !device) return;
    // None outlives its request: another one would win no time.
    if (held && held.expires_at >= shown.progress.expiresAt) return;
    const stop = new AbortController();
    const renew = async () => {
      const leftSeconds = held ? held.expires_at - nowSeconds() - spareSeconds : 0;
      await wait(held ? Math.max(retryMs, leftSeconds * 1000) : 0, stop.signal);
      while (!stop.signal.aborted) {
        try {
          const fresh = await openCeremony(rid, device.kid, stop.signal);
          if (stop.signal.aborted) return;
          ceremony.value = fresh;
          return;
        } catch (error) {
          if (!(error instanceof CallError)) throw error;
          await wait(retryMs, stop.signal);
        }
      }
    };
    void renew();
    return () => stop.abort();
  });
}
