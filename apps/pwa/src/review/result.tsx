import type { OutcomeStatus } from "@countersign/shared";
import { strings } from "../strings.js";
import { localTime } from "../times.js";
import { CheckIcon, CrossIcon } from "../ui/icons.js";
import type { Progress } from "./opened.js";
import type { ShownOutcome } from "./outcomes.js";
import type { Answer } from "./review.js";

interface ResultProps {
  progress: Progress;
  answer: Answer;
  /** Whether this very screen saw the request wait for this person: only then is "elsewhere" news. */
  sawPending: boolean;
}

/** What was decided, and what became of it. Changes are read out. */
export function Result({ progress, answer, sawPending }: ResultProps) {
  const { result } = strings;
  const deniedHere = answer.kind === "given" && answer.decision === "deny";
  const good =
    !deniedHere && ["approved", "redeemed", "reported", "pending"].includes(progress.state);
  return (
    <section class={good ? "result good" : "result"} role="status">
      <p class="result-title">
        {good ? <CheckIcon /> : <CrossIcon />}
        {title(progress, answer, sawPending)}
      </p>
      {progress.state === "pending" && good && (
        <p>{result.needsMore(progress.approvals, progress.quorum)}</p>
      )}
      {progress.state === "approved" && <p>{result.waitingForAgent}</p>}
      {progress.state === "redeemed" && <p>{result.executing}</p>}
      {progress.outcomes.length > 0 && (
        <ol class="outcomes" data-testid="outcome" aria-label={result.outcome}>
          {progress.outcomes.map((outcome, index) => (
            <li key={index}>
              <OutcomeLine outcome={outcome} />
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

function title({ state, decided, frozen }: Progress, answer: Answer, sawPending: boolean): string {
  const { result, states } = strings;
  if (state === "canceled") return result.canceled;
  if (state === "expired") return result.expired;
  const here = answer.kind === "given";
  if (state === "denied" && frozen) return here ? result.frozenHere : result.frozen;
  if (here && answer.decision === "deny") return result.deniedHere;
  if (state === "denied") {
    if (sawPending) return result.deniedElsewhere;
    return decided === "deny" ? result.deniedHere : states.denied;
  }
  if (here) return result.approvedHere;
  if (sawPending) return result.approvedElsewhere;
  return decided === "approve" ? result.approvedHere : states.approved;
}

const tones: Record<OutcomeStatus, string> = {
  succeeded: "tone-good",
  failed: "tone-bad",
  rolled_back: "tone-plain",
  unknown: "tone-bad",
};

function OutcomeLine({ outcome }: { outcome: ShownOutcome }) {
  const { result } = strings;
  if (!outcome) return <p class="tone-bad">{result.outcomeUnverified}</p>;
  const { status, code, started_at, ended_at } = outcome;
  return (
    <>
      <p class={`outcome-status ${tones[status]}`}>
        {result.outcomes[status]}
        {code && <code>{code}</code>}
      </p>
      <p class="quiet">
        {result.outcomeSigned}, {localTime(ended_at)}, {result.seconds(ended_at - started_at)}
      </p>
    </>
  );
}
