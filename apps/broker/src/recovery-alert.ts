import type { Broker } from "./broker.js";
import { listSubscriptions } from "./db/pushes.js";
import type { PushTarget } from "./domain/ports.js";
import { type OutgoingPush, recoveryPush } from "./domain/push-message.js";

/** Between tries, where a push service is busy or away. */
const pausesMilliseconds = [5_000, 60_000, 600_000];

/**
 * Alerts every phone of an approver whose account somebody recovers. Once taken, the push service keeps it for as
 * long as the recovery can be stopped. It is tried again while this process lives; an app that opens says it anyway.
 */
export async function alertOfRecovery(broker: Broker, approver: string): Promise<void> {
  const push = recoveryPush(broker.site.origin);
  const targets = await listSubscriptions(broker.db, approver);
  await Promise.all(targets.map((target) => sendUntilTaken(broker, target, push)));
}

async function sendUntilTaken(
  broker: Broker,
  target: PushTarget,
  push: OutgoingPush,
): Promise<void> {
  for (const pause of [...pausesMilliseconds, undefined]) {
    const { outcome } = await broker.push.send(target, push, new AbortController().signal);
    broker.log.info({ outcome }, "alert of a recovery tried");
    if (pause === undefined || !["busy", "unreachable"].includes(outcome)) return;
    await new Promise<void>((resolve) => {
      setTimeout(resolve, pause).unref();
    });
  }
}
