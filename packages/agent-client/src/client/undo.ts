import { ClientError } from "../errors.js";
import { codeOf } from "../executors/execution-error.js";
import type { OutcomeRecord } from "../journal/records.js";
import type { TransactionContext } from "../transactions/roll-back.js";
import { undoTransaction } from "../transactions/undo.js";
import type { ClientContext } from "./context.js";
import type { OwnRequest } from "./own-request.js";
import { recordOutcome } from "./report.js";

/**
 * Takes back what an execution did and reports it as the next outcome, which is also what is done when a crash came
 * between the two.
 * @throws ClientError `nothing_to_undo`, `changed_since`, `undo_failed`
 */
export async function undoExecution(
  context: ClientContext,
  own: OwnRequest,
  transactions: TransactionContext,
): Promise<OutcomeRecord> {
  try {
    await undoTransaction(transactions, { id: own.rid }, context);
  } catch (cause) {
    const code = codeOf(cause);
    const known = code === "nothing_to_undo" || code === "changed_since" ? code : "undo_failed";
    throw new ClientError(known, { cause, detail: own.rid });
  }
  const entry = await context.journal.read(own.rid);
  const last = entry?.outcomes.at(-1);
  if (last?.status === "rolled_back") return last;
  return recordOutcome(context, own, { status: "rolled_back", code: "undone" });
}
