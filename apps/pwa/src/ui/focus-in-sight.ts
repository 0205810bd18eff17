/**
 * Browsers bring what takes the focus onto the screen, but not out from under a bar that lies over it: the page's
 * scroll-padding says how much that is. What grows above it later pushes it there again.
 * @see WCAG 2.2, 2.4.11
 */
export function keepFocusInSight(): void {
  document.addEventListener("focusin", ({ target }) => bringIntoSight(target));
  new ResizeObserver(refocus).observe(document.body);
}

/** A field keeps its ring for whoever touches it too: only what keys have reached is gone after. */
export function refocus(): void {
  const { activeElement } = document;
  if (!activeElement?.matches("input, textarea")) bringIntoSight(activeElement);
}

function bringIntoSight(target: EventTarget | null): void {
  if (!(target instanceof Element) || !target.matches(":focus-visible")) return;
  // A heading has it to be read out, and the bars are where they are.
  if (!target.matches("h1") && !target.closest("dialog, .tabs, .decision")) {
    target.scrollIntoView({ block: "nearest" });
  }
}
