import type { ComponentChildren, RefObject } from "preact";
import { useState } from "preact/hooks";
import { passkeyGesture } from "../platform.js";
import { strings } from "../strings.js";
import { Problem } from "../ui/screen.js";
import { useRoomAboveBar } from "./attention.js";
import { CodeCheckPanel } from "./code-check.js";
import { DenySheet } from "./deny-sheet.js";
import type { Review } from "./review.js";

interface DecisionBarProps {
  barRef: RefObject<HTMLElement | null>;
  review: Review;
  /** What was decided meanwhile. It takes the place of the buttons: nothing above them moves. */
  result: ComponentChildren;
  /** Null where the request cannot be approved, at all or any more. */
  matchCode: string | null;
  /** Why Approve still sleeps; null once it may wake, undefined where it is not offered. */
  waitsFor: string | null | undefined;
  /** Leads to what was not on the screen yet; absent where nothing is left. */
  onShowUnread: (() => void) | undefined;
  /** Whether a no would still count. */
  denies: boolean;
  /** By this phone's own pairing; null where it has none. */
  agentName: string | null;
}

/** The match code and, in the thumb's reach, the two answers. */
export function DecisionBar(props: DecisionBarProps) {
  const { barRef, review, result, matchCode, waitsFor, onShowUnread, denies, agentName } = props;
  const [denying, setDenying] = useState(false);
  const answer = review.answer.value;
  const busy = answer.kind === "deciding" || answer.kind === "sending";
  const { review: words } = strings;
  const unsent = answer.kind === "unsent";
  useRoomAboveBar(barRef, unsent ? "unsent" : "answers");
  if (unsent) return <Unsent barRef={barRef} onSendAgain={review.sendAgain} />;
  return (
    <footer class="decision" ref={barRef}>
      {result}
      {matchCode && (
        <CodeCheckPanel
          check={review.codeCheck.value}
          matchCode={matchCode}
          onPick={review.pickCode}
        />
      )}
      <Problem sentence={answer.kind === "none" ? answer.problem : undefined} />
      {waitsFor !== undefined && (
        <div class="waits">
          <p role="status">
            {answer.kind === "deciding" && words.waits.busy}
            {answer.kind === "sending" && words.sending}
            {!busy && (waitsFor ?? words.waits.ready)}
          </p>
          {onShowUnread && !busy && (
            <button type="button" class="text-button" onClick={onShowUnread}>
              {words.showUnread}
            </button>
          )}
        </div>
      )}
      <div class="answers">
        {denies && (
          <button
            type="button"
            class="big quiet-button"
            disabled={busy}
            onClick={() => setDenying(true)}
          >
            {words.deny}
          </button>
        )}
        {waitsFor !== undefined && (
          <button
            type="button"
            class="big primary"
            disabled={busy || waitsFor !== null}
            onClick={review.approve}
          >
            {words.approve[passkeyGesture]}
          </button>
        )}
      </div>
      {denying && denies && (
        <DenySheet
          agentName={agentName}
          onClose={() => setDenying(false)}
          onDeny={(reason) => {
            setDenying(false);
            review.deny(reason);
          }}
          onFreeze={() => {
            setDenying(false);
            review.freeze();
          }}
        />
      )}
    </footer>
  );
}

/** The answer was signed, but nobody said that it arrived: the same one can be sent again. */
const Unsent = ({
  barRef,
  onSendAgain,
}: Pick<DecisionBarProps, "barRef"> & { onSendAgain: () => void }) => (
  <footer class="decision" ref={barRef}>
    <Problem sentence={strings.review.unsent} />
    <button type="button" class="big primary" onClick={onSendAgain}>
      {strings.review.sendAgain}
    </button>
  </footer>
);
