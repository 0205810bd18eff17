import { readOwnRequest } from "../client/own-request.js";
import { recordOutcome } from "../client/report.js";
import { ClientError } from "../errors.js";
import type { GateContext } from "./context.js";
import type { Undoable } from "./undos.js";

/** What an undo came to. */
export type UndoOutcome =
  | { status: "undone" }
  | { status: "failed"; error: unknown }
  | { status: "frozen"; approver: string }
  | { status: "nothing_to_undo" };

/**
 * Takes back what a call did. The plan is part of the action that was decided about, so nobody is asked again; it may
 * be tried again where it failed.
 * @param which the id of the call's decision, or of its request
 */
export async function undoCall(gate: GateContext, which: string): Promise<UndoOutcome> {
  const approver = gate.kill.frozenBy();
  if (approver !== undefined) return { status: "frozen", approver };
  const found = await gate.undos.find(which);
  const executor = found && gate.executors.get(found.action.tool);
  if (!found || !executor?.undo || (await gate.undos.isDone(found.id))) {
    return { status: "nothing_to_undo" };
  }
  try {
    await executor.undo(found.action, found.undo, { signal: gate.kill.signal() });
  } catch (error) {
    return { status: "failed", error };
  }
  await gate.undos.markDone(found.id);
  gate.journal.append({ kind: "outcome", id: found.id, status: "undone" });
  await tell(gate, found);
  return { status: "undone" };
}

/** The approver's phone shows it as the next outcome of the request. */
async function tell({ parts }: GateContext, { rid }: Undoable): Promise<void> {
  if (rid === undefined) return;
  const context = await parts.context();
  const entry = await context.journal.read(rid);
  if (!entry) throw new ClientError("unknown_request", { detail: rid });
  // A transaction that was taken back said so itself.
  if (entry.outcomes.at(-1)?.status === "rolled_back") return;
  const own = await readOwnRequest(entry.request, context.key, context.site);
  await recordOutcome(context, own, { status: "rolled_back", code: "undone" });
}
