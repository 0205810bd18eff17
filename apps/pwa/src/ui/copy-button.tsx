import { useState } from "preact/hooks";
import { strings } from "../strings.js";

/** Copies a text; that it did is read out. */
export function CopyButton({ text, label }: { text: string; label: string }) {
  const [copied, setCopied] = useState(false);
  return (
    <button
      type="button"
      class="big"
      onClick={() => void navigator.clipboard.writeText(text).then(() => setCopied(true))}
    >
      <span aria-live="polite">{copied ? strings.copied : label}</span>
    </button>
  );
}
