import type { Action } from "@countersign/shared";

/** An executor whose effects stay inside directories that can be kept before, and put back after. */
export interface Changing {
  /** Everything that a call may change, as virtual paths; a folder stands for all in it. */
  changes(call: Pick<Action, "tool" | "args">): readonly string[];
}
