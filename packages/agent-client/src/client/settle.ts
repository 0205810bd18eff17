import { toNumericDate } from "../clock.js";
import { ClientError } from "../errors.js";
import type { JournalEntry } from "../journal/journal.js";
import { isRunning } from "../journal/process.js";
import type { FinalRecord, OutcomeRecord } from "../journal/records.js";
import { answerOfFinal, type NotApproved } from "./answer.js";
import type { ClientContext } from "./context.js";
import type { OwnRequest } from "./own-request.js";
import { recordOutcome } from "./report.js";

export type Ending = Omit<FinalRecord, "v" | "kind" | "settled_at">;

/**
 * Ends a request without an effect, for good: later evidence for it is refused. Where something settled it
 * before, that stands and is the answer.
 */
export async function finish(
  context: ClientContext,
  own: OwnRequest,
  ending: Ending,
): Promise<NotApproved> {
  const { journal, clock, logger } = context;
  const final = { ...ending, settled_at: toNumericDate(clock.now()) };
  if (!(await journal.finish(own.rid, final))) return settledAnswer(context, own);
  logger.info("settled", {
    rid: own.rid,
    status: ending.status,
    code: ending.code ?? ending.status,
  });
  return answerOfFinal(own.rid, final);
}

/** As `finish`, for a doubt that came up after redemption: the broker is told that nothing succeeded. */
export async function finishRedeemed(
  context: ClientContext,
  own: OwnRequest,
  ending: Ending,
): Promise<NotApproved> {
  const answer = await finish(context, own, ending);
  if (answer.status === ending.status) {
    // One word is enough for the broker; which doubt it was stays here.
    await recordOutcome(context, own, { status: "failed", code: ending.status });
  }
  return answer;
}

/** What the journal says of a request that is settled. */
export async function settledAnswer(context: ClientContext, own: OwnRequest): Promise<NotApproved> {
  const entry = await context.journal.read(own.rid);
  const answer = entry && (await answerFromJournal(context, own, entry));
  if (!answer) throw new ClientError("home_corrupt", { detail: own.rid });
  return answer;
}

/**
 * Finds out what became of a request from the journal alone; undefined while it is open. A claim whose process
 * is gone and left no outcome is a crash between claim and report: it becomes `unknown`, here, and stays it
 * until a person settles it.
 */
export async function answerFromJournal(
  context: ClientContext,
  own: OwnRequest,
  { settlement, outcomes }: JournalEntry,
): Promise<NotApproved | undefined> {
  const { rid } = own;
  if (!settlement) return undefined;
  if (settlement.kind === "final") return answerOfFinal(rid, settlement);
  const last = outcomes.at(-1);
  if (last) return answerOfOutcome(rid, last);
  if (await isRunning(settlement.holder)) return { status: "unknown", rid, code: "in_progress" };
  const startedAtMs = settlement.claimed_at * 1000;
  const code = "interrupted";
  await recordOutcome(context, own, { status: "unknown", code, startedAtMs });
  return { status: "unknown", rid, code };
}

function answerOfOutcome(rid: string, { n, status, code }: OutcomeRecord): NotApproved {
  if (status === "unknown") return { status, rid, code: "interrupted" };
  return {
    status: "reported",
    rid,
    outcome: { n, status, ...(code === undefined ? {} : { code }) },
  };
}
