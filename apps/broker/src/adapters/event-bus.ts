import type { RequestChange } from "../db/changes.js";
import { describeFailure } from "../db/failures.js";
import { type EventBus, type Hint, type Logger, topics } from "../domain/ports.js";
import { onceAtATime } from "../once-at-a-time.js";

/** The line between the brokers of one database. */
export interface HintLine {
  /** What changed since the last call, whoever changed it. Not called again before it resolves. */
  read(): Promise<RequestChange[]>;
  /** Tells the other brokers that there is something to read. */
  notify(): Promise<void>;
}

/** Other brokers' hints can be lost; then their changes are found by this. */
const readMilliseconds = 1000;
/** A line on which nothing was heard for longer is taken for dead: see `silenceMilliseconds`. */
const beatMilliseconds = 2500;

/** Between two readings, and two hints: what changes meanwhile shares the next one. */
const pauseMilliseconds = 5;

export interface SharedBus extends EventBus {
  /** Another broker has changed something. */
  hinted(): void;
  stop(): void;
}

/**
 * Wakes the waiters of this process, by what any broker on the same database changed. Changes of requests are read
 * from the database, in one place and once, here as there; all else is told within this process only, and read again
 * by its waiters every second.
 */
export function createEventBus(line: HintLine, log: Logger): SharedBus {
  const local = createLocalBus();
  const warn = (error: unknown): void =>
    log.warn({ task: "hints", err: describeFailure(error) }, "background task failed");

  const readOn = onceAtATime(
    async () => {
      for (const { seq, rid, state, client_id: clientId, approvers } of await line.read()) {
        const place = seq === null ? {} : { seq };
        local.publish({ ...place, rid, state, clientId, approvers });
      }
    },
    { pauseMilliseconds, onError: warn },
  );
  let notified = 0;
  const notify = onceAtATime(
    async () => {
      notified = performance.now();
      await line.notify();
    },
    { pauseMilliseconds, onError: warn },
  );

  readOn();
  const timer = setInterval(() => {
    readOn();
    if (performance.now() - notified >= beatMilliseconds) notify();
  }, readMilliseconds);

  return {
    subscribe: local.subscribe,
    publish(hint) {
      // A change of a request has a leaf to be read, in its order; all else wakes at once. An approval that came into
      // the tree is both: its poll waits for nothing else.
      if (hint.state === undefined) local.publish(hint);
      if (hint.rid !== undefined) readOn();
      notify();
    },
    hinted: readOn,
    stop: () => clearInterval(timer),
  };
}

/** Wakes waiters of this process. */
function createLocalBus(): EventBus {
  const listeners = new Map<string, Set<(hint: Hint) => void>>();

  const topicsOf = (hint: Hint): string[] => [
    ...(hint.rid === undefined ? [] : [topics.request(hint.rid), topics.requests]),
    ...(hint.pairingId === undefined ? [] : [topics.pairing(hint.pairingId)]),
    ...(hint.linkId === undefined ? [] : [topics.link(hint.linkId)]),
    ...(hint.clientId === undefined ? [] : [topics.client(hint.clientId)]),
    ...hint.approvers.map(topics.approver),
  ];

  return {
    publish(hint) {
      for (const topic of topicsOf(hint)) {
        for (const listener of [...(listeners.get(topic) ?? [])]) listener(hint);
      }
    },
    subscribe(topic, listener) {
      const subscribed = listeners.get(topic) ?? new Set();
      listeners.set(topic, subscribed.add(listener));
      return () => {
        subscribed.delete(listener);
        if (subscribed.size === 0 && listeners.get(topic) === subscribed) listeners.delete(topic);
      };
    },
  };
}
