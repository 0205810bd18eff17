import { useState } from "preact/hooks";
import { strings } from "../strings.js";
import { Rendered } from "../ui/text.js";
import { foldOf } from "./fold.js";

/**
 * A value of any length: a long one shows its start and end, and how much is between them. While that is folded, the
 * screen is not read: attention.ts looks for `data-folded`.
 */
export function Value({ children }: { children: string }) {
  const fold = foldOf(children);
  const [open, setOpen] = useState(false);
  if (!fold || open) return <Rendered>{children}</Rendered>;
  return (
    <>
      <Rendered>{fold.start}</Rendered>
      <Unfold size={sizeOf(fold.middle)} onOpen={() => setOpen(true)} />
      <Rendered>{fold.end}</Rendered>
    </>
  );
}

/** Stands for what is folded away, and opens it. */
export function Unfold({ size, onOpen }: { size: string; onOpen: () => void }) {
  return (
    <button type="button" class="unfold" data-folded onClick={onOpen}>
      {strings.review.unfold(size)}
    </button>
  );
}

function sizeOf(text: string): string {
  const lines = text.split("\n").length - 1;
  return strings.review.size(text.length, lines);
}
