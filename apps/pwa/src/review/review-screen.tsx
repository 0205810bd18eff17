import { useSignal } from "@preact/signals";
import { useEffect, useMemo, useRef } from "preact/hooks";
import { now } from "../clock.js";
import type { SignedIn } from "../session.js";
import { strings } from "../strings.js";
import { Busy, Empty, Problem, Screen } from "../ui/screen.js";
import { useSeen, useSettled } from "./attention.js";
import { approveWaitsFor, DecisionBar } from "./decision-bar.js";
import { groupRows } from "./groups.js";
import type { Opened, Progress } from "./opened.js";
import { PictureFrame, type PictureState } from "./picture-frame.js";
import { Result } from "./result.js";
import { type Answer, canApprove, canDeny, openReview, type Review } from "./review.js";
import { Rows } from "./rows.js";
import { Sentence } from "./sentence.js";
import type { Refused, Verified } from "./verify.js";
import { WhoAsks } from "./who-asks.js";

/** One request, from reading it to seeing what became of it. */
export default function ReviewScreen({ rid, own }: { rid: string; own: SignedIn }) {
  const review = useMemo(() => openReview(rid, own), [rid, own]);
  useEffect(() => review.close, [review]);
  const view = review.view.value;
  return (
    <Screen
      title={strings.review.title}
      back={{ href: "/", label: strings.tabs.inbox }}
      class="review"
    >
      {view.kind === "loading" && <Busy label={strings.loading} />}
      {view.kind === "missing" && (
        <Empty title={strings.notFound.title}>
          <p>{strings.notFound.text}</p>
        </Empty>
      )}
      {view.kind === "failed" && (
        <>
          <Problem sentence={view.sentence} />
          <button type="button" class="big" onClick={review.reload}>
            {strings.retry}
          </button>
        </>
      )}
      {view.kind === "open" && (
        <OpenRequest review={review} opened={view.opened} progress={view.progress} />
      )}
    </Screen>
  );
}

interface OpenRequestProps {
  review: Review;
  opened: Opened;
  progress: Progress;
}

function OpenRequest({ review, opened, progress }: OpenRequestProps) {
  const { verdict } = opened;
  const pictureState = useSignal<PictureState>("loading");
  const [end, endSeen] = useSeen<HTMLDivElement>();
  const sawPending = useRef(progress.state === "pending");
  const timeUp = now.value >= progress.expiresAt;
  const approvable = canApprove(opened, progress);
  const ceremony = review.ceremony.value;
  const settled = useSettled([
    opened,
    pictureState.value,
    progress.state,
    approvable,
    endSeen,
    review.answer.value,
    ceremony,
  ]);
  const waitsFor = approvable
    ? approveWaitsFor({
        pictureShown:
          verdict.kind === "verified" && (!verdict.picture || pictureState.value === "shown"),
        endSeen,
        ceremonyUntil: ceremony?.expires_at,
        settled,
      })
    : undefined;
  const enrolled = verdict.kind === "verified" || verdict.refusal !== "device_not_enrolled";
  const answer = review.answer.value;
  const open =
    progress.state === "pending" && progress.decided === undefined && answer.kind !== "given";
  const result = !open && (
    <Result progress={progress} answer={answer} sawPending={sawPending.current} />
  );
  return (
    <>
      {verdict.agent && (
        <WhoAsks
          agent={verdict.agent}
          tier={verdict.request?.detail.tier ?? null}
          expiresAt={open ? progress.expiresAt : null}
        />
      )}
      {!sawPending.current && result}
      {verdict.kind === "verified" ? (
        <Contents verdict={verdict} pictureState={pictureState} />
      ) : (
        <CannotApprove verdict={verdict} open={open} />
      )}
      <div ref={end} class="end" />
      {(sawPending.current || canDeny(progress)) && (
        <DecisionBar
          review={review}
          result={sawPending.current && result}
          matchCode={verdict.kind === "verified" && open ? verdict.matchCode : null}
          waitsFor={open ? waitsFor : undefined}
          denies={enrolled && canDeny(progress) && !timeUp && denies(answer)}
        />
      )}
    </>
  );
}

/** A no already given needs no second one. */
const denies = (answer: Answer): boolean =>
  !(answer.kind === "given" && answer.decision === "deny");

/** The verified contents, in the order in which a person needs them; the model's claim comes last. */
function Contents({
  verdict,
  pictureState,
}: {
  verdict: Verified;
  pictureState: { value: PictureState };
}) {
  const { manifest, picture, agent, view } = verdict;
  const groups = useMemo(() => groupRows(view), [view]);
  const { groups: names } = strings.review;
  return (
    <>
      <Sentence action={manifest.action} />
      <h2>{names.action}</h2>
      <Rows rows={groups.action} />
      {picture ? (
        <PictureFrame
          picture={picture}
          host={agent.host}
          capturedAt={manifest.captured_at}
          target={manifest.action.target?.rectangle}
          state={pictureState.value}
          onState={(state) => {
            pictureState.value = state;
          }}
        />
      ) : (
        <p class="no-picture">{strings.review.noPicture}</p>
      )}
      <h2>{names.rules}</h2>
      <Rows rows={groups.rules} />
      <h2>{names.circumstances}</h2>
      <Rows rows={groups.circumstances} />
      <h2>{names.picture}</h2>
      <Rows rows={groups.picture} />
      {groups.claim.length > 0 && (
        <>
          <h2>{names.claim}</h2>
          <blockquote>
            <Rows rows={groups.claim} />
          </blockquote>
        </>
      )}
    </>
  );
}

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
    </section>
  );
}
