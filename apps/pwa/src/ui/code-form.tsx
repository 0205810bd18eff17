import { useState } from "preact/hooks";
import { Problem } from "./screen.js";

interface CodeFormProps {
  label: string;
  /** The form of such a code. */
  example: string;
  button: string;
  problem: string | undefined;
  onCode: (code: string) => void;
}

/** Asks for a code that somebody reads off another screen, or off paper. */
export function CodeForm({ label, example, button, problem, onCode }: CodeFormProps) {
  const [text, setText] = useState("");
  const code = text.trim();
  const submit = (event: Event) => {
    event.preventDefault();
    if (code !== "") onCode(code);
  };
  return (
    <form class="form" onSubmit={submit}>
      <label class="field">
        {label}
        <input
          type="text"
          class="code-input"
          autocomplete="off"
          autocapitalize="characters"
          spellcheck={false}
          placeholder={example}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <Problem sentence={problem} />
      <button type="submit" class="big primary" disabled={code === ""}>
        {button}
      </button>
    </form>
  );
}
