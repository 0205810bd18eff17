import type { RequestTimes } from "@countersign/shared";
import { storyStrings as words } from "../strings/story.js";
import { strings } from "../strings.js";
import type { ShownOutcome } from "./outcomes.js";

interface StoryProps {
  times: RequestTimes["times"];
  /** As this phone verified them: an undo is one of them. */
  outcomes: readonly ShownOutcome[];
}

/** One request from the proposal to the last report. */
export function Story({ times, outcomes }: StoryProps) {
  const steps = times.flatMap(({ kind, at }) => {
    const step = words.steps[kind];
    return step === undefined ? [] : [{ step, at }];
  });
  const reports = outcomes.map((outcome) => ({ step: report(outcome), at: outcome?.ended_at }));
  return (
    <section class="story" data-testid="story">
      <h2>{words.title}</h2>
      <ol class="card">
        {[...steps, ...reports].map(({ step, at }, index) => (
          <li key={index}>
            <span>
              <strong>{step}</strong>
              {at !== undefined && <span class="quiet tabular">{toTheSecond(at)}</span>}
            </span>
          </li>
        ))}
      </ol>
      <p class="quiet">{words.byServer}</p>
    </section>
  );
}

function report(outcome: ShownOutcome): string {
  if (!outcome) return words.unverified;
  return outcome.code === "undone" ? words.undone : strings.result.outcomes[outcome.status];
}

const toTheSecond = (numericDate: number): string =>
  new Date(numericDate * 1000).toLocaleString(undefined, {
    dateStyle: "medium",
    timeStyle: "medium",
  });
