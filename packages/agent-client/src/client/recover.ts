import { ClientError } from "../errors.js";
import { rolledBackIds } from "../transactions/acquire.js";
import type { TransactionContext } from "../transactions/roll-back.js";
import type { ClientContext } from "./context.js";
import { deliverOutcomes } from "./deliver.js";
import { type OwnRequest, readOwnRequest } from "./own-request.js";
import { recordOutcome } from "./report.js";
import { answerFromJournal } from "./settle.js";

/** How a person may settle what nobody knew. */
export type Resolution = "succeeded" | "failed" | "rolled_back";

/**
 * Looks through the journal for what a crash or an outage left: executions without an outcome become `unknown`, and
 * `rolled_back` next where they were a transaction that was taken back; outcomes that the broker has not got are sent.
 * @returns the requests that wait for a person (`resolve`)
 */
export async function recoverAll(
  context: ClientContext,
  transactions: TransactionContext,
): Promise<string[]> {
  const rolledBack = await rolledBackIds(transactions);
  const waiting: string[] = [];
  for (const rid of await context.journal.used()) {
    const entry = await context.journal.read(rid);
    if (!entry) throw new ClientError("home_corrupt", { detail: rid });
    const own = await readOwnRequest(entry.request, context.key, context.site);
    await deliverOutcomes(context, rid);
    const answer = await answerFromJournal(context, own, entry);
    if (answer?.status !== "unknown" || answer.code !== "interrupted") continue;
    if (rolledBack.has(rid)) {
      await recordOutcome(context, own, { status: "rolled_back", code: "interrupted" });
    } else waiting.push(rid);
  }
  return waiting;
}

/**
 * A person says how an `unknown` execution ended: the next outcome.
 * @throws ClientError `not_unknown`
 */
export async function resolveUnknown(
  context: ClientContext,
  own: OwnRequest,
  status: Resolution,
): Promise<{ n: number }> {
  const before = await context.journal.read(own.rid);
  const answer = before && (await answerFromJournal(context, own, before));
  if (answer?.status !== "unknown" || answer.code !== "interrupted") {
    throw new ClientError("not_unknown", { detail: own.rid });
  }
  return recordOutcome(context, own, { status, code: "resolved_by_person" });
}
