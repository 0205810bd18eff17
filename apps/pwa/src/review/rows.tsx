import { countMarks, type Row } from "@countersign/shared";
import type { ComponentChildren } from "preact";
import { strings } from "../strings.js";
import { Quoted, Rendered } from "../ui/text.js";
import { Diff } from "./diff.js";
import { Value } from "./value.js";

/** Rows of the view as they are signed: label, value, and who put it there. */
export function Rows({ rows }: { rows: readonly Row[] }) {
  return (
    <dl class="rows">
      {rows.map((row, index) => {
        const [next, previous] = [rows[index + 1], rows[index - 1]];
        if (row[3] === "after" && previous?.[3] === "before") return null;
        if (row[3] === "before" && next?.[3] === "after") {
          return <ChangeRow key={index} before={row} after={next} />;
        }
        return <OneRow key={index} row={row} next={next} />;
      })}
    </dl>
  );
}

function OneRow({ row, next }: { row: Row; next: Row | undefined }) {
  const [label, value, provenance, kind] = row;
  return (
    <div class={`row from-${provenance} kind-${kind}`}>
      <Label label={label} provenance={provenance} />
      <dd>
        {value === "" ? (
          <span class="quiet">{strings.review.emptyValue}</span>
        ) : (
          <Shown row={row} next={next} />
        )}
        <MarkCount shown={`${label}${value}`} />
      </dd>
    </div>
  );
}

/** Two rows in one frame: each line of both is in the difference. */
const ChangeRow = ({ before, after }: { before: Row; after: Row }) => (
  <div class={`row from-${after[2]} kind-change`}>
    <Label label={before[0]} provenance={before[2]} />
    <Label label={after[0]} provenance={after[2]} />
    <dd>
      <Diff before={before[1]} after={after[1]} />
      <MarkCount shown={`${before[1]}${after[1]}`} />
    </dd>
  </div>
);

function Shown({ row, next }: { row: Row; next: Row | undefined }): ComponentChildren {
  const [, value, , kind] = row;
  if (kind === "fact") return <Quoted>{value}</Quoted>;
  if (kind === "number") return <Digits>{value}</Digits>;
  if (kind === "host" && next?.[3] === "domain" && value.endsWith(next[1])) {
    return (
      <bdi class="isolated" dir="ltr">
        {value.slice(0, -next[1].length)}
        <strong>{next[1]}</strong>
      </bdi>
    );
  }
  return <Value>{value}</Value>;
}

/** Our own word first, and where the value stands in the action. */
function Label({ label, provenance }: { label: string; provenance: Row[2] }) {
  const [, word, path] = /^([A-Za-z ]+): (args.*)$/s.exec(label) ?? [];
  return (
    <dt>
      <span>
        {word && <strong class="word">{word}</strong>}
        <Rendered>{path ?? label}</Rendered>
      </span>
      <span class="provenance">{strings.review.provenance[provenance]}</span>
    </dt>
  );
}

/** Digits in threes, by space on the screen alone: the text stays the number. */
const Digits = ({ children }: { children: string }) => (
  <span class="digits">
    {/^-?\d{5,}$/.test(children)
      ? children.split(/\B(?=(?:\d{3})+$)/).map((part, index) => <span key={index}>{part}</span>)
      : children}
  </span>
);

function MarkCount({ shown }: { shown: string }) {
  const count = countMarks(shown);
  return count === 0 ? null : <p class="mark-count">{strings.review.marks(count)}</p>;
}
