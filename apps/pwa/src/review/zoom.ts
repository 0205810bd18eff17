import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

/** How a picture lies in its frame: magnified, and shifted by shares of the frame. */
export interface Zoom {
  scale: number;
  x: number;
  y: number;
}

export const unzoomed: Zoom = { scale: 1, x: 0, y: 0 };
export const maxScale = 8;

/** Magnifies around a point that stays where it is. The picture never leaves its frame. */
export function zoomAt(zoom: Zoom, factor: number, point: { x: number; y: number }): Zoom {
  const scale = Math.min(maxScale, Math.max(1, zoom.scale * factor));
  const grown = scale / zoom.scale;
  return within({
    scale,
    x: point.x - (point.x - zoom.x) * grown,
    y: point.y - (point.y - zoom.y) * grown,
  });
}

export const panBy = (zoom: Zoom, x: number, y: number): Zoom =>
  within({ ...zoom, x: zoom.x + x, y: zoom.y + y });

/** Brings a box, in shares of the picture, to the middle, as large as leaves some of its surroundings. */
export function zoomTo(box: { x: number; y: number; width: number; height: number }): Zoom {
  const scale = Math.min(maxScale, Math.max(1, 0.5 / Math.max(box.width, box.height)));
  return within({
    scale,
    x: 0.5 - (box.x + box.width / 2) * scale,
    y: 0.5 - (box.y + box.height / 2) * scale,
  });
}

function within({ scale, x, y }: Zoom): Zoom {
  const least = 1 - scale;
  return { scale, x: Math.min(0, Math.max(least, x)), y: Math.min(0, Math.max(least, y)) };
}

/**
 * Fingers and mouse on a frame: two fingers magnify, one moves what is magnified. At its normal size the
 * frame leaves one finger to the page, which must scroll on.
 */
export function useZoom(frame: RefObject<HTMLElement | null>): [Zoom, (next: Zoom) => void] {
  const [zoom, setZoom] = useState(unzoomed);
  const current = useRef(zoom);
  current.current = zoom;
  useEffect(() => {
    const element = frame.current;
    if (!element) return;
    const fingers = new Map<number, { x: number; y: number }>();
    const share = (event: PointerEvent) => {
      const box = element.getBoundingClientRect();
      return {
        x: (event.clientX - box.left) / box.width,
        y: (event.clientY - box.top) / box.height,
      };
    };
    const set = (next: Zoom) => {
      current.current = next;
      setZoom(next);
    };
    const down = (event: PointerEvent) => {
      fingers.set(event.pointerId, share(event));
      if (current.current.scale > 1 || fingers.size > 1) {
        element.setPointerCapture(event.pointerId);
      }
    };
    const move = (event: PointerEvent) => {
      const before = fingers.get(event.pointerId);
      if (!before) return;
      const after = share(event);
      const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
      fingers.set(event.pointerId, after);
      if (!other) return set(panBy(current.current, after.x - before.x, after.y - before.y));
      const factor = distance(after, other) / Math.max(0.01, distance(before, other));
      const middle = { x: (after.x + other.x) / 2, y: (after.y + other.y) / 2 };
      set(zoomAt(current.current, factor, middle));
    };
    const up = (event: PointerEvent) => fingers.delete(event.pointerId);
    element.addEventListener("pointerdown", down);
    element.addEventListener("pointermove", move);
    element.addEventListener("pointerup", up);
    element.addEventListener("pointercancel", up);
    return () => {
      element.removeEventListener("pointerdown", down);
      element.removeEventListener("pointermove", move);
      element.removeEventListener("pointerup", up);
      element.removeEventListener("pointercancel", up);
    };
  }, [frame]);
  return [zoom, setZoom];
}

const distance = (a: { x: number; y: number }, b: { x: number; y: number }): number =>
  Math.hypot(a.x - b.x, a.y - b.y);
