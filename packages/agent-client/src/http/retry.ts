import { setTimeout as sleep } from "node:timers/promises";
import type { Clock } from "../clock.js";
import type { CallAnswer } from "./answer.js";

const firstDelayMs = 200;
const longestDelayMs = 5_000;

/** Full jitter: agents that lost the same broker must not come back in step. */
export function backOffMs(attempt: number): number {
  return Math.random() * Math.min(longestDelayMs, firstDelayMs * 2 ** attempt);
}

/**
 * Repeats a call that may be made twice for as long as only the way to the broker, or the broker's own trouble,
 * stands against it.
 * @param untilMs on the monotonic clock; one attempt is always made
 */
export async function retrying<T>(
  call: () => Promise<CallAnswer<T>>,
  { clock, untilMs, signal }: { clock: Clock; untilMs: number; signal?: AbortSignal | undefined },
): Promise<CallAnswer<T>> {
  for (let attempt = 0; ; attempt++) {
    const answer = await call();
    if (answer.ok || !answer.transient) return answer;
    const delayMs = Math.max(answer.retryAfterMs, backOffMs(attempt));
    if (signal?.aborted || clock.monotonic() + delayMs >= untilMs) return answer;
    await pause(delayMs, signal);
  }
}

/** Sleeps, or not any longer once aborted: the caller looks at the signal itself. */
export async function pause(delayMs: number, signal?: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(delayMs, undefined, signal ? { signal } : {});
  } catch (error) {
    if (!signal?.aborted) throw error;
  }
}
