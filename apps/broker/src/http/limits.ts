import { ProtocolError } from "@countersign/shared";
import { RateLimiterMemory } from "rate-limiter-flexible";

/**
 * Calls a minute. Who is known is counted by identity, who is not by address. What a person says no with has a
 * bucket of its own: whatever makes the app read more often cannot take it away.
 */
const perMinute = {
  address: 300,
  invitation: 60,
  pairing: 60,
  recovery: 20,
  agent: 3000,
  approver: 1200,
  decision: 120,
  testPush: 6,
  /** A mirror that starts from nothing takes two tiles for every 256 leaves. */
  log: 3000,
} as const;

type Subject = keyof typeof perMinute;

/** Each counts one call. @throws ProtocolError `slow_down` */
export type RateLimits = Record<Subject, (key: string) => Promise<void>>;

export function createRateLimits(): RateLimits {
  const limiter = (points: number) => {
    const bucket = new RateLimiterMemory({ points, duration: 60 });
    return async (key: string): Promise<void> => {
      try {
        await bucket.consume(key);
      } catch (cause) {
        throw new ProtocolError("slow_down", { cause });
      }
    };
  };
  const limiters = Object.entries(perMinute).map(([subject, points]) => [subject, limiter(points)]);
  return Object.fromEntries(limiters) as RateLimits;
}

/** Refused authentications a minute and address. */
const failuresPerMinute = 300;

export interface FailureLimit {
  /** @throws ProtocolError `slow_down` */
  check(address: string): Promise<void>;
  count(address: string): Promise<void>;
}

export function createFailureLimit(): FailureLimit {
  const bucket = new RateLimiterMemory({ points: failuresPerMinute, duration: 60 });
  return {
    async check(address) {
      const seen = await bucket.get(address);
      if (seen !== null && seen.consumedPoints >= failuresPerMinute) {
        throw new ProtocolError("slow_down");
      }
    },
    async count(address) {
      await bucket.penalty(address);
    },
  };
}

/** Streams that one identity holds open at a time. */
export function createStreamLimit(maximum: number) {
  const open = new Map<string, number>();
  return {
    /** @returns how to give the place back @throws ProtocolError `slow_down` */
    take(key: string): () => void {
      const count = open.get(key) ?? 0;
      if (count >= maximum) throw new ProtocolError("slow_down");
      open.set(key, count + 1);
      return () => {
        const left = (open.get(key) ?? 1) - 1;
        if (left === 0) open.delete(key);
        else open.set(key, left);
      };
    },
  };
}
