import { useState } from "preact/hooks";
import { strings } from "../strings.js";
import { Mark } from "../ui/icons.js";
import { Problem, Screen } from "../ui/screen.js";

interface CodeStepProps {
  problem: string | undefined;
  onCode: (invitation: string) => void;
}

/** Where no link leads into the installed app, the invitation is typed. */
export function CodeStep({ problem, onCode }: CodeStepProps) {
  const { code } = strings.welcome;
  const [text, setText] = useState("");
  const submit = (event: Event) => {
    event.preventDefault();
    if (text.trim() !== "") onCode(text.trim());
  };
  return (
    <Screen title={code.title} class="onboarding">
      <Mark />
      <p class="lead">{code.lead(location.host)}</p>
      <form class="form" onSubmit={submit}>
        <label class="field">
          {code.label}
          <input
            type="text"
            class="code-input"
            autocomplete="off"
            autocapitalize="characters"
            spellcheck={false}
            placeholder="XXXX-XXXX-XXXX-XXXX"
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </label>
        <Problem sentence={problem} />
        <button type="submit" class="big primary" disabled={text.trim() === ""}>
          {code.button}
        </button>
      </form>
      <a class="big quiet-button" href="/">
        {code.signIn}
      </a>
    </Screen>
  );
}
