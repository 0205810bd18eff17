import {
  type Bytes,
  type Checkpoint,
  equalBytes,
  ProtocolError,
  requireConsistent,
  tileWidth,
} from "@countersign/shared";
import type { LogSource } from "./source.js";
import {
  type Fault,
  LogFault,
  openVerifiedLog,
  readHead,
  type VerifiedLog,
} from "./verified-log.js";

export interface LogReport {
  /** None where not even a signed checkpoint was to be had. */
  head?: Checkpoint;
  /** How many older checkpoints it was held against. */
  known: number;
  faults: Fault[];
}

/** A log that is wrong everywhere is told in so many words. */
const maxFaults = 50;
/** Bundles under way at a time. */
const batch = 8;

/**
 * Reads a whole log and says what is wrong with it and where.
 * @param known checkpoints of this log that somebody saw before: it has to continue each
 * @param mirror what somebody copied before: entry by entry it has to be the beginning
 */
export async function verifyWholeLog(
  source: LogSource,
  logKey: string,
  known: readonly Checkpoint[],
  mirror?: VerifiedLog,
): Promise<LogReport> {
  const faults: Fault[] = [];
  const seen = [...known, ...(mirror ? [mirror.head] : [])].sort((a, b) => a.size - b.size);
  const collect = async (act: () => Promise<void>): Promise<void> => {
    const fault = await faultOf(act);
    if (fault) faults.push(fault);
  };
  let head: Checkpoint | undefined;
  await collect(async () => {
    head = await readHead(source, logKey);
  });
  if (!head) return { known: seen.length, faults };
  const log = openVerifiedLog(source, head);
  await collect(() => log.requireRoot());
  await collect(() => requireContinues(log, seen));
  const bundles = Math.ceil(head.size / tileWidth);
  for (let first = 0; first < bundles && faults.length < maxFaults; first += batch) {
    const numbers = Array.from({ length: Math.min(batch, bundles - first) }, (_, at) => first + at);
    const found = numbers.map((bundle) =>
      faultOf(async () => requireCopied(bundle, await log.entries(bundle), mirror)),
    );
    faults.push(...(await Promise.all(found)).flatMap((fault) => fault ?? []));
  }
  return { head, known: seen.length, faults };
}

async function faultOf(act: () => Promise<void>): Promise<Fault | undefined> {
  try {
    await act();
    return undefined;
  } catch (error) {
    if (error instanceof LogFault) return error.fault;
    throw error;
  }
}

/** @throws LogFault `rolled_back`, `forked`, with the last checkpoint that it still agrees with */
async function requireContinues(log: VerifiedLog, seen: readonly Checkpoint[]): Promise<void> {
  const { head, fetchTile } = log;
  const ahead = seen.at(-1);
  let agreed = 0;
  for (const before of seen.filter(({ size }) => size <= head.size)) {
    if (!(await isConsistent(before, head, fetchTile))) {
      const where = `entries before ${agreed} are as they were, those up to ${before.size} are not`;
      throw new LogFault("forked", where);
    }
    agreed = before.size;
  }
  if (ahead && ahead.size > head.size) {
    const where = `it had ${ahead.size} entries, now it has ${head.size}`;
    throw new LogFault("rolled_back", where);
  }
}

export async function isConsistent(
  one: Checkpoint,
  other: Checkpoint,
  fetchTile: (path: string) => Promise<Bytes>,
): Promise<boolean> {
  try {
    await requireConsistent(one, other, fetchTile);
    return true;
  } catch (error) {
    if (error instanceof ProtocolError) return false;
    throw error;
  }
}

/** @throws LogFault `forked` with the first entry that differs in this bundle */
async function requireCopied(
  bundle: number,
  entries: readonly Bytes[],
  mirror: VerifiedLog | undefined,
): Promise<void> {
  if (!mirror || bundle * tileWidth >= mirror.head.size) return;
  const copied = await mirror.entries(bundle).catch((error: unknown) => {
    if (!(error instanceof LogFault)) throw error;
    throw new LogFault(error.fault.what, `in the mirror: ${error.fault.where}`);
  });
  const common = Math.min(copied.length, entries.length);
  const at = entries
    .slice(0, common)
    .findIndex((entry, i) => !equalBytes(entry, copied[i] as Bytes));
  if (at < 0) return;
  throw new LogFault("forked", `entry ${bundle * tileWidth + at} is not the one in the mirror`);
}
