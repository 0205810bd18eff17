import { ExecutionError } from "../executors/execution-error.js";
import { openRoots, type Roots } from "../executors/roots.js";
import type { TransactionLog } from "./log.js";
import type { EndedRecord, OpenedRecord } from "./records.js";
import type { Shadow } from "./shadow.js";
import { fingerprintOf, restoreSnapshot, takeSnapshot } from "./snapshot.js";

/** What taking back works with; the same in the process that began and in one that finds what another left. */
export interface TransactionContext {
  log: TransactionLog;
  shadow: () => Promise<Shadow>;
}

/**
 * Puts back what a transaction found, and ends it. What cannot be put back, or be seen to be, is `unknown`.
 * @param code why
 * @returns how it ended, and whether there was anything to put back
 */
export async function rollBack(
  { log, shadow }: TransactionContext,
  n: number,
  code: string,
): Promise<{ ended: EndedRecord; changed: boolean }> {
  const { opened, before, ended } = await log.read(n);
  if (ended) return { ended, changed: false };
  // Nothing is executed before the snapshot is kept.
  if (!before) return { ended: await end(log, n, { status: "rolled_back", code }), changed: false };
  try {
    const roots = await rootsOf(opened);
    const changed =
      (await fingerprintOf(roots, opened.paths).catch(() => "")) !== before.fingerprint;
    if (changed) {
      const kept = await shadow();
      // Others' work may be among what goes: a person can get it back. Where it is too much, it goes all the same.
      await takeSnapshot(roots, kept, opened.paths, `${n}-taken-back`).catch(() => undefined);
      await restoreSnapshot(roots, kept, opened.paths, before.snapshot);
    }
    return { ended: await end(log, n, { status: "rolled_back", code }), changed };
  } catch (cause) {
    if (cause instanceof EndLost) throw cause;
    return { ended: await end(log, n, { status: "unknown", code }), changed: true };
  }
}

/** What could not be written down did not end: it is done again when somebody finds it. */
class EndLost extends Error {
  override readonly name = "EndLost";
}

async function end(
  log: TransactionLog,
  n: number,
  { status, code }: { status: "rolled_back" | "unknown"; code: string },
): Promise<EndedRecord> {
  const record = { v: 1, status, code } as const;
  try {
    await log.end(n, record);
  } catch (cause) {
    throw new EndLost("end", { cause });
  }
  return record;
}

/** The very directories that were written down when it was opened. */
export async function rootsOf({ roots }: Pick<OpenedRecord, "roots">): Promise<Roots> {
  const opened = await openRoots(roots);
  for (const [name, directory] of Object.entries(roots)) {
    if (opened.directoryOf(name) !== directory) throw new ExecutionError("root_changed");
  }
  return opened;
}
