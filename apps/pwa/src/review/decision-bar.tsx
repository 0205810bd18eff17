import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { now } from "../clock.js";
import { strings } from "../strings.js";
import { Problem } from "../ui/screen.js";
import { Sheet } from "../ui/sheet.js";
import type { Review } from "./review.js";

interface DecisionBarProps {
  review: Review;
  /** What was decided meanwhile. It takes the place of the buttons: nothing above them moves. */
  result: ComponentChildren;
  /** Null where the request cannot be approved, at all or any more. */
  matchCode: string | null;
  /** Why Approve still sleeps; null once it may wake, undefined where it is not offered. */
  waitsFor: string | null | undefined;
  /** Whether a no would still count. */
  denies: boolean;
}

/** The match code and, in the thumb's reach, the two answers. */
export function DecisionBar({ review, result, matchCode, waitsFor, denies }: DecisionBarProps) {
  const [denying, setDenying] = useState(false);
  const answer = review.answer.value;
  const busy = answer.kind === "deciding" || answer.kind === "sending";
  if (answer.kind === "unsent") return <Unsent onSendAgain={review.sendAgain} />;
  return (
    <footer class="decision">
      {result}
      {matchCode && (
        <p class="match">
          <span>
            {strings.review.matchCode}
            <small>{strings.review.matchHint}</small>
          </span>
          <strong data-testid="match-code">{matchCode}</strong>
        </p>
      )}
      <Problem sentence={answer.kind === "none" ? answer.problem : undefined} />
      {waitsFor !== undefined && (
        <p class="waits" role="status">
          {answer.kind === "deciding" && strings.review.waits.busy}
          {answer.kind === "sending" && strings.review.sending}
          {!busy && (waitsFor ?? strings.review.waits.ready)}
        </p>
      )}
      <div class="answers">
        {denies && (
          <button
            type="button"
            class="big quiet-button"
            disabled={busy}
            onClick={() => setDenying(true)}
          >
            {strings.review.deny}
          </button>
        )}
        {waitsFor !== undefined && (
          <button
            type="button"
            class="big primary"
            disabled={busy || waitsFor !== null}
            onClick={review.approve}
          >
            {strings.review.approve}
          </button>
        )}
      </div>
      {denying && denies && (
        <DenySheet
          onClose={() => setDenying(false)}
          onDeny={(reason) => {
            setDenying(false);
            review.deny(reason);
          }}
        />
      )}
    </footer>
  );
}

/** The answer was signed, but nobody said that it arrived: the same one can be sent again. */
const Unsent = ({ onSendAgain }: { onSendAgain: () => void }) => (
  <footer class="decision">
    <Problem sentence={strings.review.unsent} />
    <button type="button" class="big primary" onClick={onSendAgain}>
      {strings.review.sendAgain}
    </button>
  </footer>
);

const maxReasonLength = 500;

function DenySheet({ onClose, onDeny }: { onClose: () => void; onDeny: (reason: string) => void }) {
  const { sheet } = strings.review;
  const [reason, setReason] = useState("");
  return (
    <Sheet title={sheet.title} onClose={onClose}>
      <label class="field">
        {sheet.reason}
        <textarea
          rows={3}
          maxLength={maxReasonLength}
          value={reason}
          aria-describedby="deny-hint"
          onInput={(event) => setReason(event.currentTarget.value)}
        />
      </label>
      <p id="deny-hint" class="quiet">
        {sheet.hint}
      </p>
      <div class="answers">
        <button type="button" class="big quiet-button" onClick={onClose}>
          {strings.cancel}
        </button>
        <button type="button" class="big primary" onClick={() => onDeny(reason)}>
          {sheet.button}
        </button>
      </div>
    </Sheet>
  );
}

/** The one reason, in words, why Approve cannot be tapped yet. */
export function approveWaitsFor(conditions: {
  pictureShown: boolean;
  endSeen: boolean;
  ceremonyUntil: number | undefined;
  settled: boolean;
}): string | null {
  const { waits } = strings.review;
  if (!conditions.pictureShown) return waits.picture;
  if (!conditions.endSeen) return waits.scroll;
  if ((conditions.ceremonyUntil ?? 0) <= now.value) return waits.ceremony;
  return conditions.settled ? null : waits.settle;
}
