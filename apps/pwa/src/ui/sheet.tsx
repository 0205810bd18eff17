import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { Quoted } from "./text.js";

interface SheetProps {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
}

/** A modal dialogue at the thumb's end of the screen. The browser keeps the focus inside and gives it back. */
export function Sheet({ title, onClose, children }: SheetProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog class="sheet" ref={dialog} aria-labelledby={titleId} onClose={onClose}>
      <h2 id={titleId}>
        <Quoted>{title}</Quoted>
      </h2>
      {children}
    </dialog>
  );
}
