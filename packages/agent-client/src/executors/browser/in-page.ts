/** How an element is found: by a selector's handle, under a point of the viewport, or by the keyboard's focus. */
export type Way = { by: "handle" } | { by: "point"; x: number; y: number } | { by: "focus" };

/** What a page's element is, measured in the page. */
export interface Seen {
  /** Why nothing can be done with it. */
  problem?: "element_covered" | "element_in_frame" | "element_invisible" | "nothing_focused";
  /** What makes it the same element for a person: kind, name, what it takes, where it leads. */
  identity: string;
  tag: string;
  role: string;
  name: string;
  field?: string;
  hidden: boolean;
  focused: boolean;
  /** Whether a line break stays within it. */
  multiline: boolean;
  href?: string;
  /** Whether pressing it, or Enter in it, sends a form that is not a plain search. */
  submits: boolean;
  rectangle: { x: number; y: number; width: number; height: number };
  point: { x: number; y: number };
}

/** Lets input through to one element only, for as long as that is what it was. */
export interface Guard {
  passed: number;
  blocked: number;
  focus(): void;
  disarm(): void;
}

/**
 * Runs in the page, and is sent there as its text: it refers to nothing outside of itself.
 * Without `identity` it measures. With it, it stands guard: every press of a button or key is looked at when the
 * browser has decided where it lands, and is stopped unless that is the measured element, still being what it was.
 */
export function inPage(
  root: Element,
  { way, identity }: { way: Way; identity?: string },
): { seen: Seen; guard?: Guard } {
  const controls =
    "a[href],area[href],button,input,select,textarea,summary,option,label,[role],[onclick],[contenteditable=''],[contenteditable=true],[tabindex]";
  const plain = (text: string | null | undefined): string =>
    (text ?? "").replace(/\s+/g, " ").trim().slice(0, 300);
  const above = (node: Element): Element | null => {
    const parent = node.parentNode;
    return parent instanceof ShadowRoot ? parent.host : node.parentElement;
  };
  const control = (node: Element): Element => {
    for (let at: Element | null = node; at; at = above(at)) if (at.matches(controls)) return at;
    return node;
  };
  const labelled = (node: Element): Element =>
    (node instanceof HTMLLabelElement ? node.control : null) ?? node;
  const deepest = (find: (scope: Document | ShadowRoot) => Element | null): Element | null => {
    let found = find(document);
    for (let inner = found?.shadowRoot; inner; inner = found?.shadowRoot) {
      const next = find(inner);
      if (!next || next === found) break;
      found = next;
    }
    return found;
  };
  const at = (x: number, y: number) => deepest((scope) => scope.elementFromPoint(x, y));
  const boxOf = (node: Element) => {
    const { x, y, width, height } = node.getBoundingClientRect();
    return { x, y, width, height };
  };
  const middle = (node: Element) => {
    const { left, top, right, bottom } = node.getBoundingClientRect();
    const [width, height] = [
      document.documentElement.clientWidth,
      document.documentElement.clientHeight,
    ];
    const x = (Math.max(left, 0) + Math.min(right, width)) / 2;
    const y = (Math.max(top, 0) + Math.min(bottom, height)) / 2;
    return {
      x,
      y,
      inside:
        right > 0 && bottom > 0 && left < width && top < height && right > left && bottom > top,
    };
  };

  const nativeRole = (node: Element): string => {
    const tag = node.localName;
    const type = node instanceof HTMLInputElement ? node.type : "";
    if (tag === "a" || tag === "area") return node.hasAttribute("href") ? "link" : "";
    if (tag === "button" || tag === "summary") return "button";
    if (["button", "submit", "reset", "image", "file", "color"].includes(type)) return "button";
    if (type === "checkbox" || type === "radio") return type;
    if (type === "range") return "slider";
    if (type === "number") return "spinbutton";
    if (type === "search") return "searchbox";
    if (tag === "input" || tag === "textarea") return "textbox";
    if (tag === "select") return "combobox";
    if (tag === "option") return "option";
    return /^h[1-6]$/.test(tag) ? "heading" : "";
  };
  /** What a page says in `role` counts only where the element has no nature of its own. */
  const roleOf = (node: Element): string =>
    nativeRole(node) || plain(node.getAttribute("role")).split(" ")[0] || "";
  /** Everything that is said or shown as its name: what it reads out and what it shows may differ. */
  const nameOf = (node: Element): string => {
    const byId = (node.getAttribute("aria-labelledby") ?? "").split(/\s+/).filter(Boolean);
    const scope = node.getRootNode() as Document | ShadowRoot;
    const labels =
      node instanceof HTMLInputElement ||
      node instanceof HTMLTextAreaElement ||
      node instanceof HTMLSelectElement
        ? node.labels
        : null;
    const isButton =
      node instanceof HTMLInputElement &&
      ["button", "submit", "reset", "image"].includes(node.type);
    const isField =
      node instanceof HTMLInputElement ||
      node instanceof HTMLTextAreaElement ||
      node instanceof HTMLSelectElement ||
      (node as HTMLElement).isContentEditable;
    const said = [
      ...byId.map((id) => scope.getElementById?.(id)?.textContent),
      node.getAttribute("aria-label"),
      ...Array.from(labels ?? [], (label) => label.textContent),
      // biome-ignore lint/performance/useDomNodeTextContent: what is shown counts, not what a style hides.
      isButton ? node.value : isField ? "" : ((node as HTMLElement).innerText ?? node.textContent),
      node.getAttribute("alt"),
      ...Array.from(
        node.querySelectorAll("img[alt],svg title"),
        (image) => image.getAttribute("alt") ?? image.textContent,
      ),
      node.getAttribute("title"),
      node.getAttribute("placeholder"),
      isButton && node.type !== "button" && node.value === "" ? node.type : "",
    ].map(plain);
    return [...new Set(said.filter((one) => one !== ""))].join(" / ").slice(0, 300);
  };

  const hides = (node: Element): boolean =>
    (node instanceof HTMLInputElement && node.type === "password") ||
    getComputedStyle(node).getPropertyValue("-webkit-text-security").replace("none", "") !== "";
  /** Whatever could make a field more than a harmless one wins; what nobody knows is no field at all. */
  const fieldOf = (node: Element, name: string): string | undefined => {
    const isEditable = (node as HTMLElement).isContentEditable || node.localName === "textarea";
    const type = node instanceof HTMLInputElement ? node.type : isEditable ? "text" : undefined;
    if (type === undefined) return undefined;
    const complete = (node.getAttribute("autocomplete") ?? "").toLowerCase();
    const words = [name, node.id, node.getAttribute("name"), complete].join(" ").toLowerCase();
    if (
      hides(node) ||
      /pass(word|code|phrase|wd)|secret|token|api.?key|private.?key|seed|kennwort|passwort|contrase|mot de passe/.test(
        words,
      )
    )
      return "password";
    if (/one.?time|otp|2fa|mfa|verif|security.?code|\bpin\b|\btan\b/.test(words))
      return "one_time_code";
    if (/\bcc-|card|cvv|cvc|iban|account.?n/.test(words)) return "payment";
    if (type === "file") return "file";
    const around = node.closest(
      "[class*=terminal],[class*=xterm],[class*=console],[class*=editor],[data-terminal]",
    );
    if (around || /terminal|console|shell|command|\bcode\b|query|\bsql\b|script/.test(words))
      return "terminal";
    if (
      type === "search" ||
      node.getAttribute("role") === "searchbox" ||
      node.closest("search,[role=search]")
    )
      return "search";
    if (type === "email") return "email";
    if (
      ["number", "range", "tel", "date", "time", "month", "week", "datetime-local"].includes(type)
    )
      return "number";
    return type === "text" || type === "url" ? "text" : undefined;
  };
  const formOf = (node: Element): HTMLFormElement | null =>
    (node as HTMLInputElement).form instanceof HTMLFormElement
      ? (node as HTMLInputElement).form
      : node.closest("form");
  const submitsOf = (node: Element, field: string | undefined): boolean => {
    const form = formOf(node);
    if (
      node instanceof HTMLButtonElement ||
      (node instanceof HTMLInputElement && ["submit", "image"].includes(node.type))
    ) {
      return node.type !== "button" && node.type !== "reset"
        ? form !== null || node.type !== "submit"
        : false;
    }
    // Enter sends what is in a field; without a form, whatever the page makes of it.
    return field !== undefined && !(field === "search" && form?.method === "get");
  };

  const measure = (node: Element) => {
    const target = labelled(node);
    const name = nameOf(target);
    const field = fieldOf(target, name);
    const form = formOf(target);
    const facts = {
      tag: target.localName,
      role: roleOf(target),
      name,
      ...(field === undefined ? {} : { field }),
      hidden: hides(target),
      multiline: target.localName === "textarea" || (target as HTMLElement).isContentEditable,
      ...(target instanceof HTMLAnchorElement || target instanceof HTMLAreaElement
        ? { href: target.href }
        : {}),
      submits: submitsOf(target, field),
    };
    const action = target.getAttribute("formaction") ?? form?.getAttribute("action") ?? "";
    const method = target.getAttribute("formmethod") ?? form?.method ?? "";
    const identity = JSON.stringify([facts, target.getAttribute("type"), action, method]);
    return { facts, identity };
  };

  const find = (): {
    node: Element;
    point: { x: number; y: number };
    problem?: Seen["problem"];
  } => {
    if (way.by === "focus") {
      const node = deepest((scope) => scope.activeElement) ?? root;
      const isNothing = node === document.body || node === document.documentElement;
      return { node, point: middle(node), ...(isNothing ? { problem: "nothing_focused" } : {}) };
    }
    if (way.by === "handle" && !middle(root).inside)
      root.scrollIntoView({ block: "center", inline: "center" });
    const point = way.by === "point" ? { x: way.x, y: way.y } : middle(root);
    const hit = at(point.x, point.y);
    if (!hit || (way.by === "handle" && !middle(root).inside))
      return { node: root, point, problem: "element_invisible" };
    const node = control(hit);
    const isItself =
      way.by === "point" || root.contains(hit) || node.contains(root) || labelled(node) === root;
    return { node, point, ...(isItself ? {} : { problem: "element_covered" }) };
  };

  const { node, point, problem } = find();
  const { facts, identity: now } = measure(node);
  const isFrame = ["iframe", "frame", "object", "embed", "fencedframe"].includes(node.localName);
  const seen: Seen = {
    ...facts,
    ...(isFrame ? { problem: "element_in_frame" } : problem ? { problem } : {}),
    identity: now,
    focused: deepest((scope) => scope.activeElement) === labelled(node),
    rectangle: boxOf(node),
    point: { x: point.x, y: point.y },
  };
  if (identity === undefined) return { seen };

  const events = [
    "pointerdown",
    "mousedown",
    "pointerup",
    "mouseup",
    "click",
    "auxclick",
    "dblclick",
    "contextmenu",
    "touchstart",
    "touchend",
    "keydown",
    "keypress",
    "beforeinput",
  ];
  const guard: Guard = {
    passed: 0,
    blocked: 0,
    focus: () => (labelled(node) as HTMLElement).focus(),
    disarm: () => {
      for (const type of events) window.removeEventListener(type, check, true);
    },
  };
  function check(event: Event): void {
    if (!event.isTrusted) return;
    const landed = event.composedPath()[0];
    const hit = landed instanceof Element ? control(landed) : undefined;
    // A key or a label presses a button by itself: that one has no place, and counts if it is of the same form.
    const isOwn = event.type === "click" && (event as MouseEvent).detail === 0 && hit !== undefined;
    if (isOwn && formOf(hit) !== null && formOf(hit) === formOf(node)) return;
    const isIt = hit !== undefined && (hit === node || hit === labelled(node));
    if (isIt && measure(node).identity === identity) {
      guard.passed++;
      return;
    }
    guard.blocked++;
    event.preventDefault();
    event.stopImmediatePropagation();
  }
  for (const type of events)
    window.addEventListener(type, check, { capture: true, passive: false });
  return { seen, guard };
}
