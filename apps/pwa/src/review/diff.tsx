import { type DiffLine, diffLines } from "@countersign/shared";
import { useMemo, useState } from "preact/hooks";
import { strings } from "../strings.js";
import { Rendered } from "../ui/text.js";
import { Unfold } from "./value.js";

/** A text and the one in its place, as lines removed and added. Long stretches without a change are folded and counted. */
export function Diff({ before, after }: { before: string; after: string }) {
  const parts = useMemo(() => stretches(diffLines(before, after)), [before, after]);
  return (
    <div class="diff">
      {parts.map((lines, index) => (
        <Stretch key={index} lines={lines} />
      ))}
    </div>
  );
}

/** Lines on each side of a fold that tell where it is. */
const contextLines = 3;
const longestStretch = 4 * contextLines;

function Stretch({ lines }: { lines: readonly DiffLine[] }) {
  const [open, setOpen] = useState(false);
  if (open || lines.length <= longestStretch) return <Lines lines={lines} />;
  const hidden = lines.length - 2 * contextLines;
  return (
    <>
      <Lines lines={lines.slice(0, contextLines)} />
      <Unfold
        size={strings.review.lines(hidden, lines[0]?.sign ?? " ")}
        onOpen={() => setOpen(true)}
      />
      <Lines lines={lines.slice(-contextLines)} />
    </>
  );
}

const kinds = { " ": "same", "-": "removed", "+": "added" } as const;

const Lines = ({ lines }: { lines: readonly DiffLine[] }) => (
  <>
    {lines.map(({ sign, text }, index) => (
      <div key={index} class={`diff-line ${kinds[sign]}`}>
        <span class="diff-sign" role="img" aria-label={strings.review.diff[kinds[sign]]}>
          {sign}
        </span>
        <Rendered>{text}</Rendered>
      </div>
    ))}
  </>
);

/** Runs of lines of one sign. */
function stretches(lines: readonly DiffLine[]): DiffLine[][] {
  const runs: DiffLine[][] = [];
  for (const line of lines) {
    const run = runs.at(-1);
    if (run?.[0]?.sign === line.sign) run.push(line);
    else runs.push([line]);
  }
  return runs;
}
