import type { Row } from "@countersign/shared";
import { strings } from "../strings.js";
import { Quoted } from "../ui/text.js";

/** What would happen, in one plain sentence of the renderer's, and whether it could be taken back. */
export function Sentence({ sentence, reversible }: { sentence: string; reversible: boolean }) {
  const { undo, noUndo } = strings.review.sentence;
  return (
    <p class="sentence">
      <Quoted>{sentence}</Quoted>
      {". "}
      <span class={reversible ? undefined : "danger"}>{reversible ? undo : noUndo}</span>
    </p>
  );
}

/** What is dangerous, or cannot be told, before anything else. */
export function Warnings({ rows }: { rows: readonly Row[] }) {
  if (rows.length === 0) return null;
  return (
    <ul class="warnings" aria-label={strings.review.groups.warnings}>
      {rows.map(([label, value], index) => (
        <li key={index} data-piece>
          <Quoted>{value}</Quoted>
          <small>{label}</small>
        </li>
      ))}
    </ul>
  );
}
