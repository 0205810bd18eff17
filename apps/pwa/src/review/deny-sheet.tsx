import { visible } from "@countersign/shared";
import { useState } from "preact/hooks";
import { strings } from "../strings.js";
import { Sheet } from "../ui/sheet.js";
import { Quoted } from "../ui/text.js";

/** Why somebody says no. Every one of them denies; the last one also stops the agent. */
export type DenyChoice = "notNow" | "wrong" | "notMe";

interface DenySheetProps {
  /** Null where the agent is not known, and so cannot be frozen. */
  agentName: string | null;
  onClose: () => void;
  onDeny: (reason: string) => void;
  onFreeze: () => void;
}

const maxReasonLength = 500;

export function DenySheet({ agentName, onClose, onDeny, onFreeze }: DenySheetProps) {
  const { sheet } = strings.review;
  const [choice, setChoice] = useState<DenyChoice>("notNow");
  const [reason, setReason] = useState("");
  const choices: DenyChoice[] =
    agentName !== null ? ["notNow", "wrong", "notMe"] : ["notNow", "wrong"];
  const submit = () => {
    if (choice === "notMe") onFreeze();
    else onDeny(choice === "wrong" ? reason : "");
  };
  return (
    <Sheet title={sheet.title} onClose={onClose}>
      <div class="choices" role="radiogroup" aria-label={sheet.title}>
        {choices.map((name) => (
          <label key={name} class={choice === name ? "choice chosen" : "choice"}>
            <input
              type="radio"
              name="denial"
              checked={choice === name}
              aria-label={sheet.choices[name].label}
              aria-describedby={`denial-${name}`}
              onChange={() => setChoice(name)}
            />
            <span>
              <strong>{sheet.choices[name].label}</strong>
              <span id={`denial-${name}`} class="quiet">
                {sheet.choices[name].text}
              </span>
            </span>
          </label>
        ))}
      </div>
      {choice === "wrong" && (
        <>
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
        </>
      )}
      {choice === "notMe" && agentName !== null && (
        <p class="quiet">
          <Quoted>{sheet.freezeText(visible(agentName))}</Quoted>
        </p>
      )}
      <div class="answers">
        <button type="button" class="big quiet-button" onClick={onClose}>
          {strings.back}
        </button>
        <button
          type="button"
          class={choice === "notMe" ? "big danger-button" : "big primary"}
          onClick={submit}
        >
          {choice === "notMe" ? sheet.freezeButton : sheet.button}
        </button>
      </div>
    </Sheet>
  );
}
