import type { Server, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import type { Ending } from "../domain/ports.js";

/** Longer than a statement may run, and shorter than supervisors wait before they kill. */
const patienceMilliseconds = 6_000;
const lookMilliseconds = 20;

/** Listeners are added and gone by the thousand: an AbortSignal looks through all of them for each that goes. */
export function createEnding(): Ending & { begin(): void } {
  const listeners = new Set<() => void>();
  let hasBegun = false;
  return {
    hasBegun: () => hasBegun,
    whenItBegins(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    begin() {
      hasBegun = true;
      for (const listener of listeners) listener();
    },
  };
}

/**
 * Knows what a server has under way, so that it ends without cutting anybody off: nothing new comes in, streams end,
 * polls are answered with what there is, and every other call gets its answer. Proxies keep busy connections and send
 * one call after the other on them: from then on each answer says that it is the last on its connection.
 * @returns how to end it
 */
export function endInOrder(
  server: Server,
  ending: ReturnType<typeof createEnding>,
): () => Promise<void> {
  const underWay = new Set<ServerResponse>();
  // Before whoever answers.
  server.prependListener("request", (_, answer) => {
    underWay.add(answer);
    answer.once("close", () => underWay.delete(answer));
    if (ending.hasBegun()) answer.shouldKeepAlive = false;
  });
  return async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const answer of underWay) answer.shouldKeepAlive = false;
    ending.begin();
    const deadline = performance.now() + patienceMilliseconds;
    while (underWay.size > 0 && performance.now() < deadline) await sleep(lookMilliseconds);
    server.closeAllConnections();
    await closed;
  };
}
