import { ProtocolError } from "@countersign/shared";
import { RateLimiterMemory } from "rate-limiter-flexible";
import type { Broker } from "../broker.js";
import type { Database } from "../db/client.js";
import { takeTokens } from "../db/rate-buckets.js";

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
  auditor: 600,
} as const;

type Subject = keyof typeof perMinute;

/** Each counts one call. @throws ProtocolError `slow_down` */
export type RateLimits = Record<Subject, (key: string) => Promise<void>>;

/**
 * Buckets in the database, which all brokers share. A process takes a twentieth of a bucket at a time, so that few calls
 * cost a statement, and refuses by itself whom it has counted out.
 */
export function createRateLimits({ db, reserved }: Pick<Broker, "db" | "reserved">): RateLimits {
  const limiters = Object.entries(perMinute).map(([subject, capacity]) => {
    const bucket = createBucket(subject === "decision" ? reserved : db, subject, capacity);
    return [subject, bucket.take];
  });
  return Object.fromEntries(limiters) as RateLimits;
}

/** What a process took and did not use lapses: so long as it may be more generous, or stricter, than the bucket. */
const creditMilliseconds = 10_000;

function createBucket(db: Database, subject: string, capacity: number) {
  const here = new RateLimiterMemory({ points: capacity, duration: 60 });
  const wanted = Math.max(1, Math.floor(capacity / 20));
  let credits = new Map<string, number>();
  let creditsUntil = 0;
  const refills = new Map<string, Promise<number>>();

  const refuse = (cause?: unknown): never => {
    throw new ProtocolError("slow_down", { cause });
  };
  /** Uses a token that this process has; @returns whether it had one. */
  const useCredit = (key: string): boolean => {
    if (performance.now() > creditsUntil) {
      credits = new Map();
      creditsUntil = performance.now() + creditMilliseconds;
    }
    const credit = credits.get(key) ?? 0;
    if (credit > 0) credits.set(key, credit - 1);
    return credit > 0;
  };

  /** Calls of one moment share one statement. */
  const refill = (key: string): Promise<number> => {
    const running = refills.get(key) ?? fetchTokens(key).finally(() => refills.delete(key));
    refills.set(key, running);
    return running;
  };
  const fetchTokens = async (key: string): Promise<number> => {
    const granted = await takeTokens(db, { key: `${subject} ${key}`, capacity, wanted });
    if (granted === 0) await here.block(key, 1);
    else credits.set(key, (credits.get(key) ?? 0) + granted);
    return granted;
  };

  return {
    async check(key: string): Promise<void> {
      const seen = await here.get(key);
      if (seen !== null && seen.consumedPoints >= capacity) refuse();
    },
    async take(key: string): Promise<void> {
      await here.consume(key).catch(refuse);
      while (!useCredit(key)) if ((await refill(key)) === 0) refuse();
    },
  };
}

/** Refused authentications a minute and address. */
const failuresPerMinute = 300;

export interface FailureLimit {
  /** @throws ProtocolError `slow_down` */
  check(address: string): Promise<void>;
  count(address: string): Promise<void>;
}

export function createFailureLimit(db: Database): FailureLimit {
  const bucket = createBucket(db, "failure", failuresPerMinute);
  return {
    check: bucket.check,
    // The refusal it counts stands; the next call is the one that is not read.
    count: (address) => bucket.take(address).catch(() => {}),
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
