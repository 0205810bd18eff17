import { useEffect, useState } from "preact/hooks";
import { noteStep } from "../onboarding/steps.js";
import { OpenRequest } from "../review/open-request.js";
import type { Review } from "../review/review.js";
import type { SignedIn } from "../session.js";
import { strings } from "../strings.js";
import { Busy, Screen } from "../ui/screen.js";
import { practiceRequest } from "./practice-request.js";
import { practiceReview } from "./practice-review.js";

const rounds = ["deny", "approve"] as const;

/** A harmless request to say no to, and one to say yes to, on the very screen that the real ones use. */
export default function PracticeScreen({ own }: { own: SignedIn }) {
  const [round, setRound] = useState(0);
  const [review, setReview] = useState<Review | null>(null);
  const kind = rounds[round];
  const { practice } = strings;

  useEffect(() => {
    if (kind === undefined) return noteStep("practice");
    setReview(null);
    window.scrollTo(0, 0);
    void practiceRequest(own, kind).then((request) => setReview(practiceReview(own, request)));
  }, [kind]);

  if (kind === undefined) {
    return (
      <Screen title={practice.doneTitle} class="centered">
        <p class="lead">{practice.doneText}</p>
        <a class="big primary" href="/enrol">
          {practice.next}
        </a>
      </Screen>
    );
  }
  const view = review?.view.value;
  const given = review?.answer.value;
  const followed = given?.kind === "given" && given.decision === kind;
  return (
    <Screen title={practice.title} back={{ href: "/enrol", label: practice.back }} class="review">
      <p class="coach" role="status">
        <strong>{practice.round(round + 1, rounds.length)}</strong> {practice.coach[kind]}
      </p>
      {!review && <Busy label={strings.loading} />}
      {review && view?.kind === "open" && (
        <OpenRequest
          key={view.opened.rid}
          review={review}
          opened={view.opened}
          progress={view.progress}
          after={
            <>
              <p>{followed ? practice.followed[kind] : practice.other[kind]}</p>
              <button type="button" class="big primary" onClick={() => setRound(round + 1)}>
                {practice.next}
              </button>
            </>
          }
        />
      )}
    </Screen>
  );
}
