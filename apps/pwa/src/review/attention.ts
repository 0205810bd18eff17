import { useEffect, useRef, useState } from "preact/hooks";

/** Approve sleeps this long after anything changed: a tap aimed at what was there before hits nothing. */
const settleMs = 600;

/** Whether the end of what there is to read has been on the screen. Once seen, it stays seen. */
export function useSeen<T extends Element>(): [ref: { current: T | null }, seen: boolean] {
  const ref = useRef<T>(null);
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    if (!ref.current || seen) return;
    const observer = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) setSeen(true);
    });
    observer.observe(ref.current);
    return () => observer.disconnect();
  }, [seen]);
  return [ref, seen];
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
