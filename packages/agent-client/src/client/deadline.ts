import type { Clock } from "../clock.js";
import type { ServerTime } from "../http/transport.js";

/** Wall clock and broker may differ by this much before neither is believed, in milliseconds. */
export const toleratedSkewMs = 30_000;

/** Until when an approval can be used. */
export interface Deadline {
  /** `exec_by`, which is AR's `exp`: milliseconds since 1970. */
  execByMs: number;
  /** On the agent's monotonic clock; undefined after a restart, when the broker's `Date` takes its place. */
  monotonicMs: number | undefined;
}

/**
 * Step 4. Refuses past the earliest of the wall clock's deadline and the monotonic one, when the wall clock is
 * far from the broker's, and, after a restart, past the deadline by the broker's clock.
 * @returns why it is too late, or undefined when it is not
 * @see protocol section 5, step 4
 */
export function tooLate(
  deadline: Deadline,
  clock: Clock,
  server: ServerTime | undefined,
): "expired" | "clock_skew" | undefined {
  if (remainingMs(deadline, clock) <= 0) return "expired";
  if (!server) return "clock_skew";
  const serverNowMs = server.dateMs + (clock.monotonic() - server.heardAtMs);
  if (deadline.monotonicMs === undefined && serverNowMs >= deadline.execByMs) return "expired";
  return Math.abs(clock.now() - serverNowMs) > toleratedSkewMs ? "clock_skew" : undefined;
}

/** Milliseconds until the earlier of the agent's own two deadlines; negative once past it. */
export function remainingMs({ execByMs, monotonicMs }: Deadline, clock: Clock): number {
  const byWall = execByMs - clock.now();
  return monotonicMs === undefined ? byWall : Math.min(byWall, monotonicMs - clock.monotonic());
}
