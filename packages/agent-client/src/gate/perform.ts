import { AsyncLocalStorage } from "node:async_hooks";
import { type Action, assertJson, type Json } from "@countersign/shared";
import type { GateContext } from "./context.js";
import type { Executor } from "./executor.js";

/** How deep in calls within calls this is: an executor that calls the gate is one deeper. */
const depths = new AsyncLocalStorage<number>();

export const currentDepth = (): number => depths.getStore() ?? 0;

/** For calls that come from elsewhere than from within an executor's own. */
export const atDepth = <T>(depth: number, act: () => T): T => depths.run(depth, act);

/** Where an execution belongs. */
export interface Performing {
  executor: Executor;
  id: string;
  rid?: string;
}

/** Has the effect. The only place where an executor's `execute` is called. */
export async function perform(
  { undos, parts: { logger } }: GateContext,
  { executor, id, rid }: Performing,
  action: Action,
  signal: AbortSignal,
): Promise<Json> {
  const done = await atDepth(currentDepth() + 1, () =>
    executor.execute(action, { signal, id: rid ?? id }),
  );
  if (done.undo !== undefined && executor.undo) {
    // It happened: that its undo could not be kept does not make it fail.
    await undos.keep({ id, rid, action, undo: done.undo }).catch(() => {
      logger.warn("an undo could not be kept", { id });
    });
  }
  try {
    assertJson(done.value);
    return done.value;
  } catch {
    // It happened: that its answer is no JSON does not change it.
    logger.warn("an executor's answer was no JSON", { tool: action.tool });
    return null;
  }
}
