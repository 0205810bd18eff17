import type { LeafKind } from "@countersign/shared";

const steps: Partial<Record<LeafKind, string>> = {
  request: "Proposed",
  open: "First opened",
  approve: "An approval",
  deny: "A denial",
  cancel: "Withdrawn by the agent",
  expire: "Time ran out",
  redeem: "Taken by the agent, to be executed",
};

/** What happened to a request, and when. */
export const storyStrings = {
  title: "What happened when",
  steps,
  undone: "Undone",
  unverified: "A report that could not be verified",
  byServer: "Times by the server's log. What the agent reported has the agent's time.",
} as const;
