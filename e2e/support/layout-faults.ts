/** In the page: what is wrong with how the screen is laid out, in words. Scrolls, and leaves the page at its top. */
export function faultsOfLayout(): string[] {
  const faults: string[] = [];
  const fault = (what: string, element: Element, more = "") => {
    const name = element.tagName.toLowerCase() + (element.className ? `.${element.className}` : "");
    const text = (element.textContent ?? "").slice(0, 40);
    faults.push(`${what}: ${name} ${JSON.stringify(text)} ${more}`.trim());
  };
  const dialog = document.querySelector("dialog[open]");
  const root = dialog ?? document.body;
  // What may be larger than its frame: a picture that is magnified, and words for screen readers alone.
  const isExempt = (element: Element) =>
    element.closest(".picture-frame, .viewfinder, .unseen, svg, video") !== null ||
    getComputedStyle(element).clipPath !== "none";

  const { scrollWidth, clientWidth } = document.documentElement;
  if (scrollWidth > clientWidth) faults.push(`page is ${scrollWidth} wide on ${clientWidth}`);

  for (const bar of document.querySelectorAll(".tabs, .decision:not([data-at-end])")) {
    const { bottom } = bar.getBoundingClientRect();
    if (Math.abs(bottom - innerHeight) > 0.5)
      fault("not at the lower edge", bar, `${bottom} of ${innerHeight}`);
  }

  for (const element of root.querySelectorAll("*")) {
    const box = element.getBoundingClientRect();
    if (box.width === 0 || isExempt(element)) continue;
    const { overflowY, display, textOverflow } = getComputedStyle(element);
    if (box.left < -1 || box.right > innerWidth + 1) {
      fault("sticks out of the screen", element, `${box.left} to ${box.right}`);
    }
    if (textOverflow === "ellipsis") fault("cuts its text", element);
    if (display === "inline" || element instanceof HTMLInputElement) continue;
    if (element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0) {
      fault("wider inside than outside", element, `${element.scrollWidth}>${element.clientWidth}`);
    }
    const scrolls = /auto|scroll/.test(overflowY);
    const taller = element.scrollHeight > element.clientHeight + 2 && element.clientHeight > 0;
    if (taller && !scrolls && /hidden|clip/.test(overflowY)) fault("cut off below", element);
  }

  const lightness = (colour: string): number => {
    const [red = 0, green = 0, blue = 0] = (colour.match(/[\d.]+/g) ?? []).map((part) => {
      const share = Number(part) / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05;
  };
  // WCAG 2.2, 1.4.11: where to type is told by the edge.
  for (const field of root.querySelectorAll(".field input, .field textarea")) {
    const { borderTopColor, backgroundColor } = getComputedStyle(field);
    const ratio = lightness(borderTopColor) / lightness(backgroundColor);
    if (Math.max(ratio, 1 / ratio) < 3) fault("an edge that is hard to see", field, `${ratio}`);
  }

  const controls = [...root.querySelectorAll("a, button, input, textarea, summary")].filter(
    (element) => element.getClientRects().length > 0 && !isExempt(element),
  );
  for (const control of controls) {
    const inText = control.matches(
      ".text-button, .inline-link, .task-text, .toggle input, .choice input",
    );
    const box = control.getBoundingClientRect();
    if (!inText && box.height < 43.5) fault("hard to hit", control, `${box.height} px high`);
    control.scrollIntoView({ block: "center" });
    const { left, top, width, height } = control.getBoundingClientRect();
    const hit = document.elementFromPoint(left + width / 2, top + height / 2);
    const label = control.closest("label, .task");
    if (hit && !control.contains(hit) && !hit.contains(control) && !label?.contains(hit)) {
      fault("lies under something else", control, hit.className);
    }
  }
  for (const answers of root.querySelectorAll(".answers")) {
    const boxes = [...answers.children].map((button) => button.getBoundingClientRect());
    for (const [index, box] of boxes.entries()) {
      if (box.height < 56) fault("an answer below 56 px", answers, `${box.height}`);
      const before = boxes[index - 1];
      if (!before) continue;
      const apart = Math.max(box.left - before.right, box.top - before.bottom);
      if (apart < 16) fault("answers less than 16 px apart", answers, `${apart}`);
    }
  }
  scrollTo(0, 0);
  return faults;
}
