import { useId } from "preact/hooks";

interface LinkFieldProps {
  label: string;
  hint: string;
  disabled?: boolean;
  onInput: (text: string) => void;
}

/** Where a link is pasted when no camera reads it. A whole link needs no further tap. */
export function LinkField({ label, hint, disabled = false, onInput }: LinkFieldProps) {
  const hintId = useId();
  return (
    <>
      <label class="field">
        {label}
        <input
          type="text"
          inputMode="url"
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          disabled={disabled}
          aria-describedby={hintId}
          onInput={(event) => onInput(event.currentTarget.value)}
        />
      </label>
      <p id={hintId} class="quiet">
        {hint}
      </p>
    </>
  );
}
