import { setMaxListeners } from "node:events";
import type { Server, ServerResponse } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

/** Longer than a statement may run, and shorter than supervisors wait before they kill. */
const patienceMilliseconds = 6_000;
const lookMilliseconds = 20;

/**
 * Knows what a server has under way, so that it ends without cutting anybody off: nothing new comes in, streams end,
 * polls are answered with what there is, and every other call gets its answer. Proxies keep busy connections and send
 * one call after the other on them: from then on each answer says that it is the last on its connection.
 * @param ending aborted when the server begins to end
 * @returns how to end it
 */
export function endInOrder(server: Server, ending: AbortController): () => Promise<void> {
  const underWay = new Set<ServerResponse>();
  // Streams and polls listen, as many as there are.
  setMaxListeners(0, ending.signal);
  // Before whoever answers.
  server.prependListener("request", (_, answer) => {
    underWay.add(answer);
    answer.once("close", () => underWay.delete(answer));
    if (ending.signal.aborted) answer.shouldKeepAlive = false;
  });
  return async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const answer of underWay) answer.shouldKeepAlive = false;
    ending.abort();
    const deadline = performance.now() + patienceMilliseconds;
    while (underWay.size > 0 && performance.now() < deadline) await sleep(lookMilliseconds);
    server.closeAllConnections();
    await closed;
  };
}
