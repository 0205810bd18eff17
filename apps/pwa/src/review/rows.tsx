import { countMarks, type Row } from "@countersign/shared";
import { strings } from "../strings.js";
import { Rendered } from "../ui/text.js";

/** Rows of the view as they are signed: label, value, and who put it there. */
export function Rows({ rows }: { rows: readonly Row[] }) {
  return (
    <dl class="rows">
      {rows.map(([label, value, provenance]) => (
        <div key={label} class={`row from-${provenance}`}>
          <dt>
            <Rendered>{label}</Rendered>
            <span class="provenance">{strings.review.provenance[provenance]}</span>
          </dt>
          <dd>
            {value === "" ? (
              <span class="quiet">{strings.review.emptyValue}</span>
            ) : (
              <Rendered>{value}</Rendered>
            )}
            <MarkCount shown={`${label}${value}`} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

function MarkCount({ shown }: { shown: string }) {
  const count = countMarks(shown);
  return count === 0 ? null : <p class="mark-count">{strings.review.marks(count)}</p>;
}
