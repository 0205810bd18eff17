/** Both clocks, in milliseconds. They are separate because each fails alone: one is set back, one sleeps. */
export interface Clock {
  /** Wall clock, milliseconds since 1970. */
  now(): number;
  /** Milliseconds since an arbitrary start; never set back. */
  monotonic(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};

export const toNumericDate = (milliseconds: number): number => Math.floor(milliseconds / 1000);
