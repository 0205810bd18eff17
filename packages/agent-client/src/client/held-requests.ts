import type { Clock } from "../clock.js";
import { remainingMs } from "./deadline.js";
import type { HeldRequest } from "./held-request.js";

/** What is kept of a request that is settled: a process may run for years. */
interface Settled {
  wasApproved: boolean;
  claimedAtMs: number | undefined;
}

const maxSettled = 10_000;

/** The requests of this process. Those past their deadline are let go, the oldest settled ones forgotten. */
export function createHeldRequests(clock: Clock) {
  const open = new Map<string, HeldRequest>();
  const settled = new Map<string, Settled>();

  /** Its bytes and its evidence are not needed again: the journal has the request. */
  function settle({ own, evidence, claimedAtMs }: HeldRequest): void {
    const before = settled.get(own.rid);
    open.delete(own.rid);
    settled.set(own.rid, {
      wasApproved: evidence !== undefined || before?.wasApproved === true,
      claimedAtMs: claimedAtMs ?? before?.claimedAtMs,
    });
    const [oldest] = settled.keys();
    if (settled.size > maxSettled && oldest !== undefined) settled.delete(oldest);
  }

  return {
    settle,
    keep: (request: HeldRequest): void => {
      for (const one of open.values()) if (remainingMs(one.deadline, clock) <= 0) settle(one);
      open.set(request.own.rid, request);
    },
    find: (rid: string): HeldRequest | undefined => open.get(rid),
    isOurs: (rid: string): boolean => open.has(rid) || settled.has(rid),
    wasApproved: (rid: string): boolean =>
      open.get(rid)?.evidence !== undefined || settled.get(rid)?.wasApproved === true,
    /** Milliseconds since 1970; undefined for what this process did not claim. */
    claimedAtMs: (rid: string): number | undefined =>
      (open.get(rid) ?? settled.get(rid))?.claimedAtMs,
  };
}
