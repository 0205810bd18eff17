import {
  type Checkpoint,
  ProtocolError,
  requireConsistent,
  type Tree,
  verifyCheckpoint,
} from "@countersign/shared";
import type { LogConflict } from "../home/log-memory.js";
import { logKeyOf } from "../home/pins.js";
import type { CallAnswer } from "../http/answer.js";
import { retrying } from "../http/retry.js";
import type { IntegrityMismatch } from "./answer.js";
import type { ClientContext } from "./context.js";

/** Whether the broker's log still is the one that this agent knows. */
export type Followed =
  | { status: "current" }
  | { status: "unreachable"; code: string }
  | ({ status: "integrity_mismatch" } & Pick<IntegrityMismatch, "code" | "checkpoints">);

interface Patience {
  untilMs: number;
  signal?: AbortSignal | undefined;
}

/** Before anything is asked: the log as it is now, which is never shorter than it was. */
export async function lookAtLog(context: ClientContext, patience: Patience): Promise<Followed> {
  return outcomeOf(context, async (logKey) => {
    const before = await context.log.checkpoints(logKey);
    const shown = await currentCheckpoint(context, logKey, patience);
    refuseShorter(before, shown);
    await follow(context, logKey, shown, patience);
  });
}

/**
 * Section 5, step 3, the second half: the checkpoint that the decisions are under continues what this agent saw, and
 * what the approvers' phones saw when they signed.
 */
export async function followEvidence(
  context: ClientContext,
  given: { checkpoint: Checkpoint; notarised: readonly Tree[] },
  patience: Patience,
): Promise<Followed> {
  const { checkpoint, notarised } = given;
  return outcomeOf(context, async (logKey) => {
    const before = await context.log.checkpoints(logKey);
    // Another process of this agent may have seen more. Then the broker has to have that still.
    if (before.some(({ size }) => size > checkpoint.size)) {
      refuseShorter(before, await currentCheckpoint(context, logKey, patience));
    }
    await follow(context, logKey, checkpoint, patience);
    for (const tree of notarised) {
      const note = `${tree.size} ${tree.root} (in an approver's statement)`;
      // A decision comes after what its phone had seen.
      if (tree.size >= checkpoint.size) throw conflictOf("log_fork", { note }, checkpoint);
      await compare(context, { ...tree, note }, checkpoint, patience);
    }
  });
}

/** Demands that a checkpoint agrees with every one that is remembered, whichever process saw it, and remembers it. */
async function follow(
  context: ClientContext,
  logKey: string,
  shown: Checkpoint,
  patience: Patience,
): Promise<void> {
  const { log } = context;
  const agreed = new Map<string, Checkpoint>();
  for (let kept = false; ; ) {
    const others = (await log.checkpoints(logKey)).filter(({ note }) => note !== shown.note);
    const news = others.filter(({ note }) => !agreed.has(note));
    // What another process wrote in the moment of our own writing is met in the round after it.
    if (kept && news.length === 0) break;
    for (const other of news) {
      await compare(context, other, shown, patience).catch(async (error: unknown) => {
        // What could not be judged, by wrong tiles or for want of them, is remembered: later it has to agree with
        // whatever is shown then.
        if (!(error instanceof Contradiction)) await log.keep(shown);
        throw error;
      });
      agreed.set(other.note, other);
    }
    // Of the same tree in another note nothing is let go either: each of two processes would drop the other's.
    if (others.some(({ size }) => size >= shown.size)) return;
    await log.keep(shown);
    kept = true;
  }
  await log.drop([...agreed.values()]);
}

async function compare(
  { broker, clock }: ClientContext,
  known: Checkpoint,
  shown: Checkpoint,
  patience: Patience,
): Promise<void> {
  const fetchTile = async (path: string) =>
    valueIn(await retrying(() => broker.tile(path, patience.signal), { clock, ...patience }));
  try {
    await requireConsistent(known, shown, fetchTile);
  } catch (error) {
    const forked = error instanceof ProtocolError && error.code === "log_fork";
    throw forked ? conflictOf("log_fork", known, shown) : error;
  }
}

function refuseShorter(before: readonly Checkpoint[], shown: Checkpoint): void {
  const ahead = before.find(({ size }) => size > shown.size);
  if (ahead) throw conflictOf("log_rolled_back", ahead, shown);
}

async function currentCheckpoint(
  { broker, clock }: ClientContext,
  logKey: string,
  patience: Patience,
): Promise<Checkpoint> {
  const call = () => broker.checkpoint(patience.signal);
  return verifyCheckpoint(valueIn(await retrying(call, { clock, ...patience })), logKey);
}

class Contradiction extends Error {
  readonly conflict: LogConflict;

  constructor(conflict: LogConflict) {
    super(conflict.code);
    this.conflict = conflict;
  }
}

class Unreachable extends Error {
  readonly code: string;

  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

const conflictOf = (
  code: LogConflict["code"],
  known: Pick<Checkpoint, "note">,
  shown: Checkpoint,
): Contradiction => new Contradiction({ code, remembered: known.note, shown: shown.note });

function valueIn<T>(answer: CallAnswer<T>): T {
  if (!answer.ok) throw new Unreachable(answer.code);
  return answer.value;
}

/** A contradiction stops this agent for good, with both sides of it kept; what was not to be had stops it for now. */
async function outcomeOf(
  { log, pins, logger }: ClientContext,
  act: (logKey: string) => Promise<void>,
): Promise<Followed> {
  try {
    const known = await log.conflict();
    if (known) throw new Contradiction(known);
    await act(logKeyOf(await pins.all()));
    return { status: "current" };
  } catch (error) {
    if (error instanceof Unreachable) return { status: "unreachable", code: error.code };
    if (error instanceof ProtocolError) return { status: "integrity_mismatch", code: error.code };
    if (!(error instanceof Contradiction)) throw error;
    const { code, remembered, shown } = error.conflict;
    await log.stop(error.conflict);
    logger.warn("the broker's log contradicts itself", { code });
    return { status: "integrity_mismatch", code, checkpoints: { remembered, shown } };
  }
}
