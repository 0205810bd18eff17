import { visible } from "@countersign/shared";
import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useMemo, useRef } from "preact/hooks";
import { now } from "../clock.js";
import { strings } from "../strings.js";
import { Rendered } from "../ui/text.js";
import { type Reading, useReading, useSettled } from "./attention.js";
import { Contents } from "./contents.js";
import { DecisionBar } from "./decision-bar.js";
import type { Opened, Progress } from "./opened.js";
import type { CodeCheck } from "./pick-code.js";
import type { PictureState } from "./picture-frame.js";
import { Result } from "./result.js";
import { type Answer, canDeny, offersApproval, type Review } from "./review.js";
import type { Refused } from "./verify.js";
import { WhoAsks } from "./who-asks.js";

interface OpenRequestProps {
  review: Review;
  opened: Opened;
  progress: Progress;
  /** What stands below a result: where to go next, or what to keep. */
  after?: ComponentChildren;
}

/** One opened request: what it is, and the bar by which it is answered. */
export function OpenRequest({ review, opened, progress, after }: OpenRequestProps) {
  const { verdict } = opened;
  const pictureState = useSignal<PictureState>("loading");
  // The countdown draws this screen every second; what was verified does not change with it.
  const contents = useMemo(
    () => verdict.kind !== "refused" && <Contents verdict={verdict} pictureState={pictureState} />,
    [verdict, pictureState],
  );
  const sawPending = useRef(progress.state === "pending" && progress.decided === undefined);
  const approvable = offersApproval(opened, progress);
  const { contents: contentsRef, bar, reading, showUnread } = useReading(approvable);
  const timeUp = now.value >= progress.expiresAt;
  const ceremony = review.ceremony.value;
  const codeCheck = review.codeCheck.value;
  const settled = useSettled([
    opened,
    pictureState.value,
    progress.state,
    approvable,
    reading,
    codeCheck,
    review.answer.value,
    ceremony,
  ]);
  const pictureShown =
    verdict.kind !== "refused" && (!verdict.manifest.screenshot || pictureState.value === "shown");
  const waitsFor = approvable
    ? approveWaitsFor({
        pictureShown,
        reading,
        codeCheck: codeCheck.kind,
        ceremonyUntil: ceremony?.expires_at,
        settled,
      })
    : undefined;
  const enrolled = verdict.kind !== "refused" || verdict.refusal !== "device_not_enrolled";
  const answer = review.answer.value;
  const open =
    progress.state === "pending" && progress.decided === undefined && answer.kind !== "given";
  const result = !open && (
    <>
      <Result progress={progress} answer={answer} sawPending={sawPending.current} />
      {after}
    </>
  );
  return (
    <>
      {verdict.agent && (
        <WhoAsks
          agent={verdict.agent}
          tier={verdict.request?.detail.tier ?? null}
          time={open ? { from: verdict.request?.claims.iat, until: progress.expiresAt } : null}
        />
      )}
      {!sawPending.current && result}
      <div ref={contentsRef} class="contents">
        {contents}
      </div>
      {verdict.kind === "refused" && <CannotApprove verdict={verdict} open={open} />}
      {(sawPending.current || canDeny(progress)) && (
        <DecisionBar
          barRef={bar}
          review={review}
          result={sawPending.current && result}
          matchCode={verdict.kind !== "refused" && open ? verdict.matchCode : null}
          waitsFor={open ? waitsFor : undefined}
          onShowUnread={approvable && pictureShown && reading !== "read" ? showUnread : undefined}
          denies={enrolled && canDeny(progress) && !timeUp && denies(answer)}
          agentName={verdict.agent?.name ?? null}
        />
      )}
    </>
  );
}

/** A no already given needs no second one. */
const denies = (answer: Answer): boolean =>
  !(answer.kind === "given" && answer.decision === "deny");

/** The one reason, in words, why Approve cannot be tapped yet. */
function approveWaitsFor(conditions: {
  pictureShown: boolean;
  reading: Reading;
  codeCheck: CodeCheck["kind"];
  ceremonyUntil: number | undefined;
  settled: boolean;
}): string | null {
  const { waits } = strings.review;
  if (!conditions.pictureShown) return waits.picture;
  if (conditions.reading === "unread") return waits.scroll;
  if (conditions.reading === "folded") return waits.unfold;
  if (conditions.codeCheck === "choose") return waits.pick;
  if (conditions.codeCheck === "unknown") return waits.ceremony;
  if ((conditions.ceremonyUntil ?? 0) <= now.value) return waits.ceremony;
  return conditions.settled ? null : waits.settle;
}

/** For whoever is asked about it: either was signed by the server's log. */
const Notes = ({ known, shown }: NonNullable<Refused["notes"]>) =>
  [known, shown].map((note, index) => (
    <section key={index}>
      <h3>{strings.review.notes[index]}</h3>
      <pre>
        <Rendered>{visible(note)}</Rendered>
      </pre>
    </section>
  ));

function CannotApprove({ verdict, open }: { verdict: Refused; open: boolean }) {
  if (!open) {
    const gone = verdict.refusal === "context_missing";
    return (
      <p class="quiet">{gone ? strings.review.contextGone : strings.refusals[verdict.refusal]}</p>
    );
  }
  return (
    <section class="refused" role="alert" data-testid="cannot-approve">
      <h2>{strings.review.cannotApprove}</h2>
      <p>{strings.refusals[verdict.refusal]}</p>
      {verdict.refusal !== "device_not_enrolled" && <p>{strings.review.onlyDeny}</p>}
      {verdict.notes && <Notes {...verdict.notes} />}
    </section>
  );
}
