import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { refocus } from "../ui/focus-in-sight.js";
import { addSpan, firstGap, type Span } from "./coverage.js";

/** Approve sleeps this long after anything changed: a tap aimed at what was there before hits nothing. */
const settleMs = 600;
const maxBarShare = 0.55;

/** What is read piece by piece; what stands outside of all of these is read as the child that holds it. */
const pieces = ".row, .sentence, .picture, [data-piece]";
/** A place whose middle is folded away. Whoever draws one marks it so, and unmarks it once it is open. */
const folded = "details:not([open]), [data-folded]";
/** An empty place: whoever saw it has not seen what comes there. Marked and unmarked by whoever draws. */
const undrawn = "[data-undrawn]";

const nothing: Span = [0, 0];

export type Reading = "unread" | "folded" | "read";

interface Piece {
  width: number;
  height: number;
  spans: Span[];
}

/**
 * Whether everything inside an element was on the screen, and not just behind the bar that covers the lower
 * edge. What grew since, because it was unfolded, has to be seen anew; what was seen stays seen.
 * @returns the refs to give to contents and bar, the state, and a way to what was skipped
 */
export function useReading(active: boolean): {
  contents: RefObject<HTMLDivElement | null>;
  bar: RefObject<HTMLElement | null>;
  reading: Reading;
  showUnread: () => void;
} {
  const contents = useRef<HTMLDivElement>(null);
  const bar = useRef<HTMLElement>(null);
  const seen = useRef(new Map<Element, Piece>());
  const [reading, setReading] = useState<Reading>("unread");

  useEffect(() => {
    const root = contents.current;
    if (!active || !root) return;
    let frame = 0;
    const look = () => {
      frame = 0;
      // Behind an open sheet, or with the app in the background, nothing is being read; what comes there is new all the same.
      const isBehind =
        document.visibilityState !== "visible" || document.querySelector("dialog[open]") !== null;
      const stretch: Span = isBehind ? nothing : visibleStretch(bar.current);
      for (const element of piecesOf(root)) {
        note(seen.current, element, element.matches(undrawn) ? nothing : stretch);
      }
      setReading(stateOf(root, seen.current));
    };
    const schedule = () => {
      if (frame === 0) frame = requestAnimationFrame(look);
    };
    const resized = new ResizeObserver(schedule);
    const changed = new MutationObserver(schedule);
    resized.observe(root);
    if (bar.current) resized.observe(bar.current);
    changed.observe(root, { childList: true, subtree: true, attributes: true });
    // A sheet that goes, closed or taken away, makes readable again what lay behind it.
    changed.observe(document.body, { childList: true, subtree: true, attributeFilter: ["open"] });
    const views = [window, window.visualViewport, document];
    const events = ["scroll", "resize", "visibilitychange"];
    for (const view of views) {
      for (const name of events) view?.addEventListener(name, schedule, { passive: true });
    }
    schedule();
    return () => {
      cancelAnimationFrame(frame);
      resized.disconnect();
      changed.disconnect();
      for (const view of views) {
        for (const name of events) view?.removeEventListener(name, schedule);
      }
    };
  }, [active]);

  const showUnread = () => {
    const root = contents.current;
    if (!root) return;
    const closed = root.querySelector(folded);
    for (const element of piecesOf(root)) {
      const piece = seen.current.get(element);
      const gap = firstGap(piece?.spans ?? [], element.getBoundingClientRect().height);
      if (gap === null) continue;
      const top = element.getBoundingClientRect().top + gap;
      return window.scrollBy({ top: top - window.innerHeight / 4 });
    }
    closed?.scrollIntoView({ block: "center" });
  };

  return { contents, bar, reading, showUnread };
}

/**
 * Large text on a small screen: a bar that left too little to read stands at the page's end instead. Over one that
 * stays, what takes the focus comes to rest.
 * @param which changes when another element takes the bar's place
 */
export function useRoomAboveBar(bar: RefObject<HTMLElement | null>, which: string): void {
  useEffect(() => {
    const element = bar.current;
    if (!element) return;
    const place = () => {
      const tall = element.offsetHeight > maxBarShare * window.innerHeight;
      element.toggleAttribute("data-at-end", tall);
      style.scrollPaddingBottom = tall ? "" : `${element.offsetHeight + 8}px`;
      refocus();
    };
    const { style } = document.documentElement;
    const resized = new ResizeObserver(place);
    resized.observe(element);
    window.addEventListener("resize", place);
    return () => {
      resized.disconnect();
      window.removeEventListener("resize", place);
      style.scrollPaddingBottom = "";
    };
  }, [which]);
}

/** The smallest pieces that together hold everything. */
function piecesOf(root: Element): Element[] {
  return [...root.children].flatMap((child) => {
    const inner = child.matches(pieces) ? [] : [...child.querySelectorAll(pieces)];
    return inner.length === 0 ? [child] : inner;
  });
}

/** Down to the bar, and within what a pinch of the whole page left on the screen. */
function visibleStretch(bar: Element | null): Span {
  const view = window.visualViewport;
  const top = view?.offsetTop ?? 0;
  const bottom = top + (view?.height ?? window.innerHeight);
  return [top, Math.min(bottom, bar?.getBoundingClientRect().top ?? bottom)];
}

function note(seen: Map<Element, Piece>, element: Element, [top, bottom]: Span): void {
  const box = element.getBoundingClientRect();
  const before = seen.get(element);
  const look: Span = [Math.max(0, top - box.top), Math.min(box.height, bottom - box.top)];
  seen.set(element, {
    width: box.width,
    height: box.height,
    spans: addSpan(stillSeen(before, box), look),
  });
}

/** Turning the phone lays the same text out anew; the same width with another height is other text. */
function stillSeen(before: Piece | undefined, now: { width: number; height: number }): Span[] {
  if (!before || before.height === 0) return [];
  if (Math.abs(before.height - now.height) < 1) return before.spans;
  if (before.width === now.width) return [];
  const factor = now.height / before.height;
  return before.spans.map(([top, bottom]) => [top * factor, bottom * factor]);
}

function stateOf(root: Element, seen: Map<Element, Piece>): Reading {
  const unread = piecesOf(root).some((element) => {
    const { spans, height } = seen.get(element) ?? { spans: [], height: 1 };
    return firstGap(spans, height) !== null;
  });
  if (unread) return "unread";
  return root.querySelector(folded) ? "folded" : "read";
}

/**
 * True once none of the given values has changed for a while.
 * @param watched everything whose change moves or wakes something on the screen
 */
export function useSettled(watched: readonly unknown[]): boolean {
  const [settledFor, setSettledFor] = useState<readonly unknown[] | null>(null);
  useEffect(() => {
    const timer = setTimeout(() => setSettledFor(watched), settleMs);
    return () => clearTimeout(timer);
  }, watched);
  return settledFor?.every((value, index) => Object.is(value, watched[index])) ?? false;
}
