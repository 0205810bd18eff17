import { describe, expect, it } from "vitest";
import { type Deadline, remainingMs, toleratedSkewMs, tooLate } from "./deadline.js";

const execByMs = 1_800_000_300_000;
const deadline: Deadline = { execByMs, monotonicMs: 500_000 };
const afterRestart: Deadline = { execByMs, monotonicMs: undefined };

/** Everybody agrees: so many milliseconds are left. The agent's clock started at 200,000. */
const left = (ms: number, apart: { wall?: number; monotonic?: number; broker?: number } = {}) => ({
  clock: {
    now: () => execByMs - ms + (apart.wall ?? 0),
    monotonic: () => 500_000 - ms + (apart.monotonic ?? 0),
  },
  server: { dateMs: execByMs - ms - 7_000 + (apart.broker ?? 0), heardAtMs: 500_000 - ms - 7_000 },
});
const judge = (given: Deadline, { clock, server }: ReturnType<typeof left>) =>
  tooLate(given, clock, server);

describe("an approval can be used", () => {
  it("until its deadline and not at it", () => {
    expect(judge(deadline, left(1))).toBeUndefined();
    expect(judge(deadline, left(0))).toBe("expired");
    expect(judge(deadline, left(-1))).toBe("expired");
  });

  it("until the earlier one of the agent's own two clocks says so", () => {
    expect(judge(deadline, left(5_000, { wall: 5_000 }))).toBe("expired");
    expect(judge(deadline, left(5_000, { monotonic: 5_000 }))).toBe("expired");
    expect(remainingMs(deadline, left(5_000, { wall: 1_000 }).clock)).toBe(4_000);
    expect(remainingMs(deadline, left(5_000, { monotonic: 2_000 }).clock)).toBe(3_000);
    expect(remainingMs(afterRestart, left(5_000, { monotonic: 2_000 }).clock)).toBe(5_000);
  });

  it("by nobody who has not heard the broker's time", () => {
    expect(tooLate(deadline, left(5_000).clock, undefined)).toBe("clock_skew");
    expect(tooLate(deadline, left(0).clock, undefined)).toBe("expired");
  });

  it.each([1, -1])(
    "while wall clock and broker are as far apart as may be, not more (%i)",
    (way) => {
      const apart = left(100_000, { broker: way * toleratedSkewMs });
      expect(judge(deadline, apart)).toBeUndefined();
      expect(judge(deadline, left(100_000, { broker: way * (toleratedSkewMs + 1) }))).toBe(
        "clock_skew",
      );
    },
  );

  it("after a restart until the broker's clock says so, and before one by the agent's own", () => {
    expect(judge(afterRestart, left(5_000))).toBeUndefined();
    expect(judge(afterRestart, left(5_000, { broker: 4_999 }))).toBeUndefined();
    expect(judge(afterRestart, left(5_000, { broker: 5_000 }))).toBe("expired");
    expect(judge(deadline, left(5_000, { broker: 5_000 }))).toBeUndefined();
  });
});
