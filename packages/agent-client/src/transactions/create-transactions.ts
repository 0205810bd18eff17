import { type Json, randomId } from "@countersign/shared";
import * as z from "zod/mini";
import type { ActionProposal } from "../client/request.js";
import { type Clock, systemClock, toNumericDate } from "../clock.js";
import { ClientError } from "../errors.js";
import type { Changing } from "../executors/changing.js";
import { codeOf } from "../executors/execution-error.js";
import { type Roots, requireApart } from "../executors/roots.js";
import type { RunCommand } from "../executors/run-command.js";
import { parseVirtualPath } from "../executors/virtual-path.js";
import type { Executed, ExecuteOptions, Executor } from "../gate/executor.js";
import { acquire } from "./acquire.js";
import { OutcomeUnknown, RolledBack } from "./ending.js";
import { requireAll } from "./invariants.js";
import { openTransactionLog } from "./log.js";
import { type Invariant, planOf, type UndoPlan } from "./plan.js";
import { rollBack, type TransactionContext } from "./roll-back.js";
import { openShadow, type Shadow } from "./shadow.js";
import { fingerprintOf, takeSnapshot } from "./snapshot.js";
import { undoTransaction } from "./undo.js";

export interface TransactionsOptions {
  /** The agent's home, as the client has it. */
  home: string;
  roots: Roots;
  /** What must hold after an effect, or it is taken back. A person sees it with the action, and approves it. */
  invariants?: (proposal: ActionProposal) => readonly Invariant[];
  /** What runs the invariants that are commands. */
  runCommand?: RunCommand;
  clock?: Clock;
}

export interface Transactions {
  /**
   * The same executor, with every call that changes files below the roots as a transaction: kept before, checked after,
   * put back when it throws or an invariant does not hold. How it is taken back is in the action, so a person sees it.
   * Its `execute` throws `RolledBack` when everything is again as it was, `OutcomeUnknown` when nobody can say so, and
   * what was thrown when nothing had changed. One at a time: putting back what others changed meanwhile would undo
   * their work too.
   * @throws ClientError `invalid_options` for a command as an invariant without `runCommand`
   */
  around(executor: Executor & Partial<Changing>): Executor;
}

/** @throws ClientError `invalid_options`, `home_unsafe` */
export async function createTransactions(options: TransactionsOptions): Promise<Transactions> {
  const { home, roots, invariants = () => [], runCommand, clock = systemClock } = options;
  for (const name of roots.names) {
    await requireApart(roots.directoryOf(name), home, `root ${name}`);
  }
  const context = await openTransactions(home);

  function plan(executor: Partial<Changing>, proposal: ActionProposal): ActionProposal {
    const paths = executor.changes?.(proposal) ?? [];
    if (paths.length === 0) return proposal;
    const checks = [...invariants(proposal)];
    if (!runCommand && checks.some(({ kind }) => kind === "command")) {
      throw new ClientError("invalid_options", { detail: "invariants without runCommand" });
    }
    const undo: UndoPlan = { kind: "restore", paths: [...paths], invariants: checks };
    // Strict JSON has no member that is undefined.
    return { ...proposal, undo: JSON.parse(JSON.stringify(undo)) as Json, reversible: true };
  }

  async function open({ paths }: UndoPlan, { signal, id = randomId() }: ExecuteOptions) {
    const names = new Set(paths.map((path) => parseVirtualPath(path).root));
    const where = [...names].map((name) => [name, roots.directoryOf(name)]);
    const opening = { id, opened_at: toNumericDate(clock.now()), paths };
    return acquire(context, { ...opening, roots: Object.fromEntries(where) }, signal);
  }

  async function transact(
    n: number,
    { paths, invariants: checks }: UndoPlan,
    signal: AbortSignal,
    execute: () => Promise<Executed>,
  ): Promise<Executed> {
    const { log } = context;
    let executed: Executed | undefined;
    try {
      const kept = await takeSnapshot(roots, await context.shadow(), paths, String(n));
      await log.addBefore(n, { snapshot: kept.reference, fingerprint: kept.fingerprint });
      executed = { value: (await execute()).value, undo: { transaction: n } };
      await requireAll(checks, { roots, runCommand, signal });
      await log.end(n, { v: 1, status: "committed", after: await fingerprintOf(roots, paths) });
      return executed;
    } catch (error) {
      const left = await takeBack(context, n, error);
      // The record is there, although writing it said otherwise: it stands.
      if (left === "committed" && executed) return executed;
      throw left;
    } finally {
      log.letGo(n);
    }
  }

  return {
    around: (executor) => ({
      tools: executor.tools,
      async describe(call, describing) {
        const described = await executor.describe(call, describing);
        return { ...described, proposal: plan(executor, described.proposal) };
      },
      async execute(action, executing) {
        const undo = planOf(action);
        if (!undo) return executor.execute(action, executing);
        const n = await open(undo, executing);
        const { signal } = executing;
        return transact(n, undo, signal, () => executor.execute(action, executing));
      },
      async undo(action, undo, { signal }) {
        const ours = z.safeParse(undoOfTransaction, undo).data;
        if (ours) await undoTransaction(context, { n: ours.transaction }, { clock, signal });
        else await executor.undo?.(action, undo, { signal });
      },
    }),
  };
}

const undoOfTransaction = z.strictObject({ transaction: z.int().check(z.positive()) });

/** What every process of this home has, without knowing what it is used for. */
export async function openTransactions(home: string): Promise<TransactionContext> {
  let shadow: Promise<Shadow> | undefined;
  return {
    log: await openTransactionLog(home),
    shadow: () => {
      shadow ??= openShadow(home);
      return shadow;
    },
  };
}

/** @returns what is to be thrown in the place of `error`, unless it turns out to be committed */
async function takeBack(context: TransactionContext, n: number, error: unknown): Promise<unknown> {
  const code = codeOf(error);
  try {
    const { ended, changed } = await rollBack(context, n, code);
    if (ended.status === "committed") return "committed";
    if (ended.status === "unknown") return new OutcomeUnknown(code, { cause: error });
    if (ended.status === "rolled_back" && changed) return new RolledBack(code, { cause: error });
    return error;
  } catch (cause) {
    return new OutcomeUnknown("roll_back_failed", { cause });
  }
}
