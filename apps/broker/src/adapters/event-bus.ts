import { type EventBus, type Hint, topics } from "../domain/ports.js";

/** Wakes waiters of this process. */
export function createEventBus(): EventBus {
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
