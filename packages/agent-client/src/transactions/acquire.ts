import { setTimeout as sleep } from "node:timers/promises";
import type { OpenedRecord } from "./records.js";
import { rollBack, type TransactionContext } from "./roll-back.js";

const pollMs = 25;

/**
 * Opens the next transaction once the last one has ended; what a crash left is taken back first.
 * @throws what `signal` was aborted with
 */
export async function acquire(
  context: TransactionContext,
  record: Omit<OpenedRecord, "v" | "holder" | "n">,
  signal?: AbortSignal,
): Promise<number> {
  for (;;) {
    signal?.throwIfAborted();
    const n = await settleLast(context);
    if (n === undefined) await sleep(pollMs, undefined, signal ? { signal } : {});
    else if (await context.log.open({ ...record, n: n + 1 })) return n + 1;
  }
}

/** @returns the number of the last transaction, which has ended; undefined while somebody is at work on it */
export async function settleLast(context: TransactionContext): Promise<number | undefined> {
  const { log } = context;
  const n = await log.last();
  if (n === 0 || (await log.read(n)).ended) return n;
  if (!(await log.takeOver(n))) return undefined;
  try {
    await rollBack(context, n, "interrupted");
    return n;
  } finally {
    log.letGo(n);
  }
}

/** Ids whose last transaction was taken back before it came to an end. */
export async function rolledBackIds({ log }: TransactionContext): Promise<Set<string>> {
  const last = new Map<string, boolean>();
  for (let n = await log.last(); n > 0; n--) {
    const { opened, ended } = await log.read(n);
    if (!last.has(opened.id)) last.set(opened.id, ended?.status === "rolled_back");
  }
  return new Set([...last].flatMap(([id, isRolledBack]) => (isRolledBack ? [id] : [])));
}
