import { setTimeout as sleep } from "node:timers/promises";
import { ClientError } from "../errors.js";
import { retrying } from "../http/retry.js";
import type { OutcomeRecord } from "../journal/records.js";
import type { ClientContext } from "./context.js";

/** How long a report holds up its caller for a broker that is away. */
const reportForMs = 10_000;
/** After that it is tried in the background, so long apart at first and at most. */
const laterMs = { first: 5_000, longest: 60_000 };

/** `away`: for now. `refused`: for now too, but by the broker's word; it is asked again at the next start. */
type Delivery = "delivered" | "away" | "refused";

/**
 * Sends what the broker has not got, in the order of `n`: it takes none before the one that comes before it. While
 * it is away this goes on in the background, since a person waits to see what became of it; what this process does
 * not deliver goes with the next `recover`.
 */
export async function deliverOutcomes(context: ClientContext, rid: string): Promise<void> {
  if ((await deliverAll(context, rid)) !== "away" || context.owed.has(rid)) return;
  context.owed.add(rid);
  if (context.owed.size === 1) void deliverLater(context);
}

/** Keeps no process alive. One request's outcomes at a time, and none while those before it find nobody. */
async function deliverLater(context: ClientContext): Promise<void> {
  const { owed, logger } = context;
  for (let failures = 0; owed.size > 0; ) {
    const delayMs = Math.min(laterMs.longest, laterMs.first * 2 ** failures);
    await sleep(delayMs * (0.5 + Math.random() / 2), undefined, { ref: false });
    for (const rid of owed) {
      const delivery = await deliverAll(context, rid).catch(() => "refused" as const);
      failures = delivery === "away" ? failures + 1 : 0;
      if (delivery === "away") break;
      owed.delete(rid);
      logger.info("tried the outcome again", { rid, delivery });
    }
  }
}

async function deliverAll(context: ClientContext, rid: string): Promise<Delivery> {
  const entry = await context.journal.read(rid);
  if (!entry) throw new ClientError("home_corrupt", { detail: rid });
  for (const outcome of await context.journal.undelivered(entry)) {
    const delivery = await deliver(context, rid, outcome);
    if (delivery !== "delivered") return delivery;
  }
  return "delivered";
}

/** The same octets may be sent again: the broker knows them by `n`. */
async function deliver(
  { broker, clock, journal, logger }: ClientContext,
  rid: string,
  { n, outcome }: OutcomeRecord,
): Promise<Delivery> {
  const untilMs = clock.monotonic() + reportForMs;
  const answer = await retrying(() => broker.report(rid, outcome), { clock, untilMs });
  if (answer.ok) {
    await journal.markDelivered(rid, n);
    return "delivered";
  }
  logger.warn("the outcome was not taken", { rid, n, code: answer.code });
  // A clock that is set right again is no other clock.
  if (answer.transient || answer.code === "clock_skew") return "away";
  // Refused for what it is, not for how or when it was sent: the same octets will never be taken.
  const isFinal = [403, 404, 409, 410].includes(answer.status);
  if (!isFinal || answer.code === "outcome_out_of_order") return "refused";
  await journal.markDelivered(rid, n);
  return "delivered";
}
