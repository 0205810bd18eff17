import {
  fromBase64url,
  ProtocolError,
  type PushOutcome,
  type PushState,
  type PushSubscriptionBody,
  randomId,
  randomNonce,
} from "@countersign/shared";
import { refuseConflict, type SignedInApprover } from "./authorization.js";
import type { Broker } from "./broker.js";
import {
  advancePush,
  type ClaimedPush,
  claimPushes,
  confirmTest,
  deleteEndedSubscription,
  dropPush,
  findSubscription,
  noteTestOutcome,
  postponePush,
  putSubscription,
  startTest,
} from "./db/pushes.js";
import { limits } from "./domain/limits.js";
import { type PushResult, topics } from "./domain/ports.js";
import { answeredPush, askingPush, testPush } from "./domain/push-message.js";
import { onceAtATime } from "./once-at-a-time.js";
import { tokenHash } from "./registration.js";

// Alerts: a hint to a phone that is not looking. An open app learns by its event stream and needs none of this.

/** A person in one browser: a subscription belongs to the session, and ends with it. */
export interface OpenSession extends SignedInApprover {
  sessionHash: string;
}

/**
 * Takes the browser's subscription, new or as it was.
 * @throws ProtocolError `push_endpoint_refused`, `invalid_request` (no public key), `forbidden` (a device that is
 *   revoked), `conflict` (another session brought the same endpoint at the same moment)
 */
export async function subscribe(
  broker: Broker,
  person: OpenSession,
  given: PushSubscriptionBody,
): Promise<void> {
  const endpoint = broker.push.readEndpoint(given.endpoint);
  if (endpoint === undefined) throw new ProtocolError("push_endpoint_refused");
  await requirePublicKey(given.keys.p256dh);
  fromBase64url(given.keys.auth);
  const stored = await putSubscription(broker.db, {
    id: randomId(),
    ...person,
    ...given.keys,
    endpoint,
    deviceKid: given.device_kid,
  }).catch(refuseConflict("conflict"));
  if (!stored) throw new ProtocolError("forbidden");
}

/** A point that is not on the curve would fail at every push instead of now. */
async function requirePublicKey(p256dh: string): Promise<void> {
  const raw = fromBase64url(p256dh);
  const algorithm = { name: "ECDH", namedCurve: "P-256" };
  await crypto.subtle.importKey("raw", raw, algorithm, false, []).catch((cause: unknown) => {
    throw new ProtocolError("invalid_request", { cause });
  });
}

/** What the settings screen shows of this browser's alerts. */
export async function describePush(broker: Broker, person: OpenSession): Promise<PushState> {
  const application_server_key = broker.push.applicationServerKey;
  const row = await findSubscription(broker.db, person.sessionHash);
  if (!row) return { application_server_key };
  const { last_outcome: outcome, last_outcome_at: at, test_sent_at: sent_at } = row;
  const after = row.test_arrived_after;
  return {
    application_server_key,
    subscription: {
      since: row.since,
      ...(outcome === null || at === null ? {} : { last: { outcome, at } }),
      ...(sent_at === null
        ? {}
        : { test: { sent_at, ...(after === null ? {} : { arrived_after_seconds: after }) } }),
    },
  };
}

/**
 * Sends a real push to this session's subscription. Its arrival is confirmed by {@link receiveTest}.
 * @throws ProtocolError `not_found` without a subscription
 */
export async function sendTest(broker: Broker, person: OpenSession): Promise<PushOutcome> {
  const row = await findSubscription(broker.db, person.sessionHash);
  if (!row) throw new ProtocolError("not_found");
  const receipt = randomNonce();
  const target = { subscriptionId: row.id, endpoint: row.endpoint };
  await startTest(broker.db, { ...target, testHash: tokenHash(receipt) });
  const { outcome } = await broker.push.send(
    row,
    testPush(broker.site.origin, receipt),
    new AbortController().signal,
  );
  if (outcome === "gone") await deleteEndedSubscription(broker.db, target);
  else await noteTestOutcome(broker.db, { ...target, outcome });
  return outcome;
}

/** @throws ProtocolError `not_found` for a token that is none, or was used */
export async function receiveTest(broker: Broker, token: string): Promise<void> {
  if (!(await confirmTest(broker.db, tokenHash(token)))) throw new ProtocolError("not_found");
}

/** Between two claims: what falls due meanwhile is claimed together, and no phone is told so fast as to notice. */
const pauseMilliseconds = 50;

/**
 * Sends what the outbox holds, as it falls due: at the next hint, and once a second for whatever no hint told of.
 * A push that hangs holds up no other.
 * @returns how to stop, which waits for what is being written down
 */
export function startPushSender(broker: Broker): () => Promise<void> {
  const stopped = new AbortController();
  const inFlight = new Set<Promise<void>>();

  const claim = async (): Promise<void> => {
    const room = limits.pushesInFlight - inFlight.size;
    if (room <= 0 || stopped.signal.aborted) return;
    for (const push of await claimPushes(broker.db, room)) launch(push);
  };
  const pump = onceAtATime(claim, {
    pauseMilliseconds,
    onError: (error) =>
      broker.log.warn({ task: "push", err: errorName(error) }, "background task failed"),
  });

  const launch = (push: ClaimedPush): void => {
    const sending = deliver(broker, push, stopped.signal)
      .catch((error: unknown) => {
        // Its lease runs out, and it is sent again under the same topic.
        broker.log.warn({ rid: push.rid, err: errorName(error) }, "push not written down");
      })
      .finally(() => {
        inFlight.delete(sending);
        if (inFlight.size === limits.pushesInFlight - 1) void pump();
      });
    inFlight.add(sending);
  };

  const timer = setInterval(() => void pump(), 1000);
  // Nobody is alerted when an approval gets its place in the log, is redeemed or reported.
  const unsubscribe = broker.bus.subscribe(topics.requests, ({ state }) => {
    if (state !== undefined && state !== "redeemed" && state !== "reported") void pump();
  });
  return async () => {
    clearInterval(timer);
    unsubscribe();
    stopped.abort();
    await Promise.all(inFlight);
  };
}

/** A failed statement's message may quote its parameters, and those are endpoints and keys here. */
const errorName = (error: unknown): string => (error instanceof Error ? error.name : "unknown");

async function deliver(broker: Broker, push: ClaimedPush, signal: AbortSignal): Promise<void> {
  const { rid, subscriptionId } = push;
  const compose = push.stage === "ask" ? askingPush : answeredPush;
  const result = await broker.push.send(
    push,
    compose({ ...push, origin: broker.site.origin }),
    signal,
  );
  broker.log.info(
    { rid, subscription: subscriptionId, stage: push.stage, outcome: result.outcome },
    "push tried",
  );
  await settle(broker, push, result);
}

/** Accepted, over, to be tried again, or never to be taken. */
function settle(broker: Broker, push: ClaimedPush, result: PushResult): Promise<void> {
  const { outcome } = result;
  switch (outcome) {
    case "accepted":
      return advancePush(broker.db, push);
    case "gone":
      return deleteEndedSubscription(broker.db, push);
    case "busy":
    case "unreachable":
      return postponePush(broker.db, push, { outcome, seconds: delaySeconds(push, result) });
    case "refused":
    case "blocked":
      return dropPush(broker.db, push, outcome);
  }
}

/** Doubles with each try, and is never shorter than what the push service asked for. Its deadline ends it. */
export function delaySeconds(
  { attempts }: Pick<ClaimedPush, "attempts">,
  { retryAfterSeconds = 0 }: PushResult,
): number {
  const { first, longest } = limits.pushBackoffSeconds;
  return Math.max(retryAfterSeconds, Math.min(longest, first * 2 ** (attempts - 1)));
}
