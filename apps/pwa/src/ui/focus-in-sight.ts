/**
 * Browsers bring what takes the focus onto the screen, but not out from under a bar that lies over it: the page's
 * scroll-padding says how much that is.
 * @see WCAG 2.2, 2.4.11
 */
export function keepFocusInSight(): void {
  document.addEventListener("focusin", ({ target }) => {
    if (!(target instanceof Element) || !target.matches(":focus-visible")) return;
    // A heading has it to be read out, and the bars are where they are.
    if (!target.matches("h1") && !target.closest("dialog, .tabs, .decision")) {
      target.scrollIntoView({ block: "nearest" });
    }
  });
}
