import { ProtocolError } from "@countersign/shared";
import { RateLimiterMemory } from "rate-limiter-flexible";

/** Calls a minute. Who is known is counted by identity, who is not by address. */
const perMinute = { address: 300, pairing: 60, agent: 3000, approver: 1200 } as const;

type Subject = keyof typeof perMinute;

/** Each counts one call. @throws ProtocolError `slow_down` */
export type RateLimits = Record<Subject, (key: string) => Promise<void>>;

export function createRateLimits(): RateLimits {
  const limiter = (subject: Subject) => {
    const bucket = new RateLimiterMemory({ points: perMinute[subject], duration: 60 });
    return async (key: string): Promise<void> => {
      try {
        await bucket.consume(key);
      } catch (cause) {
        throw new ProtocolError("slow_down", { cause });
      }
    };
  };
  return {
    address: limiter("address"),
    pairing: limiter("pairing"),
    agent: limiter("agent"),
    approver: limiter("approver"),
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
