import { type Clock, toNumericDate } from "../clock.js";
import { codeOf, ExecutionError } from "../executors/execution-error.js";
import { acquire } from "./acquire.js";
import type { BeforeRecord, OpenedRecord } from "./records.js";
import { rollBack, rootsOf, type TransactionContext } from "./roll-back.js";
import { fingerprintOf, restoreSnapshot, takeSnapshot } from "./snapshot.js";

/** A transaction by its number, or the last one of an id. */
export type Which = { n: number } | { id: string };

/**
 * Takes back what was committed, as a transaction of its own. Taking back what was taken back does nothing.
 * @throws ExecutionError `nothing_to_undo`; `changed_since` where it would take later work with it
 */
export async function undoTransaction(
  context: TransactionContext,
  which: Which,
  { clock, signal }: { clock: Clock; signal?: AbortSignal },
): Promise<void> {
  const found = await findCommitted(context, which);
  if (found.undone) return;
  const { opened, before, after } = found;
  const { id, paths, roots: where } = opened;
  const opening = { id, opened_at: toNumericDate(clock.now()), paths, roots: where };
  const n = await acquire(context, { ...opening, undoes: opened.n }, signal);
  const { log } = context;
  try {
    const roots = await rootsOf(opened);
    const shadow = await context.shadow();
    const now = await takeSnapshot(roots, shadow, paths, String(n));
    if (now.fingerprint !== after) throw new ExecutionError("changed_since");
    await log.addBefore(n, { snapshot: now.reference, fingerprint: now.fingerprint });
    await restoreSnapshot(roots, shadow, paths, before.snapshot);
    const left = await fingerprintOf(roots, paths);
    await log.end(n, { v: 1, status: "committed", after: left });
  } catch (error) {
    await rollBack(context, n, codeOf(error));
    throw error;
  } finally {
    log.letGo(n);
  }
}

type Found =
  | { undone: true }
  | { undone: false; opened: OpenedRecord; before: BeforeRecord; after: string };

async function findCommitted({ log }: TransactionContext, which: Which): Promise<Found> {
  const undone = new Set<number>();
  for (let n = await log.last(); n > 0; n--) {
    const { opened, before, ended } = await log.read(n);
    if (ended?.status !== "committed") continue;
    if (opened.undoes !== undefined) undone.add(opened.undoes);
    else if ("n" in which ? n === which.n : opened.id === which.id) {
      if (undone.has(n)) return { undone: true };
      if (before) return { undone: false, opened, before, after: ended.after };
    }
  }
  throw new ExecutionError("nothing_to_undo");
}
