/** A stretch of one block that was on the screen, in pixels from the block's top. */
export type Span = readonly [top: number, bottom: number];

/** Sub-pixel layouts leave hairlines between two looks that touch. */
const hairlinePx = 1;

/** Joins one more stretch to those seen before. They stay sorted and apart. */
export function addSpan(spans: readonly Span[], [top, bottom]: Span): Span[] {
  if (bottom <= top) return [...spans];
  let joined: Span = [top, bottom];
  const apart: Span[] = [];
  for (const span of spans) {
    const touches = span[0] <= joined[1] + hairlinePx && joined[0] <= span[1] + hairlinePx;
    if (touches) joined = [Math.min(span[0], joined[0]), Math.max(span[1], joined[1])];
    else apart.push(span);
  }
  return [...apart, joined].sort((a, b) => a[0] - b[0]);
}

/** Where the first part begins that was not on the screen yet; null once all of it was. */
export function firstGap(spans: readonly Span[], height: number): number | null {
  const [first] = spans;
  if (height <= hairlinePx) return null;
  if (!first || first[0] > hairlinePx) return 0;
  return first[1] >= height - hairlinePx ? null : first[1];
}
