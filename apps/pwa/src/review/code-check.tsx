import { strings } from "../strings.js";
import { CheckIcon } from "../ui/icons.js";
import type { CodeCheck } from "./pick-code.js";

interface CodeCheckProps {
  check: CodeCheck;
  matchCode: string;
  onPick: (code: string) => void;
}

/** The match code above the buttons: to be compared, or first to be found among three. */
export function CodeCheckPanel({ check, matchCode, onPick }: CodeCheckProps) {
  const { review } = strings;
  if (check.kind === "unknown") return null;
  if (check.kind === "choose") {
    return (
      <fieldset class="pick" data-testid="pick-code">
        <legend>{review.pick.title}</legend>
        <div class="pick-choices">
          {check.choices.map((code) => (
            <button
              key={code}
              type="button"
              class="pick-choice"
              data-testid="match-choice"
              onClick={() => onPick(code)}
            >
              {code}
            </button>
          ))}
        </div>
        <p class="pick-problem" role="alert">
          {check.wrongPicks > 0 && review.pick.wrong}
        </p>
      </fieldset>
    );
  }
  return (
    <p class="match">
      <span>
        {review.matchCode}
        <small>{check.kind === "chosen" ? review.pick.right : review.matchHint}</small>
      </span>
      {check.kind === "chosen" && <CheckIcon />}
      <strong data-testid="match-code">{matchCode}</strong>
    </p>
  );
}
