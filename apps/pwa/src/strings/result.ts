import type { OutcomeStatus } from "@countersign/shared";

/** What became of a request. */
export const resultStrings = {
  result: {
    approvedHere: "You approved",
    deniedHere: "You denied",
    frozenHere: "You froze the agent, which denied this too",
    frozen: "Denied by a freeze of the agent",
    approvedElsewhere: "Answered elsewhere: approved",
    deniedElsewhere: "Answered elsewhere: denied",
    canceled: "The agent withdrew this request",
    expired: "Time ran out. Nothing was approved",
    needsMore: (approvals: number, quorum: number) =>
      `${approvals} of ${quorum} approvals. Waiting for the others.`,
    waitingForAgent: "Waiting for the agent to act.",
    executing: "The agent took the approval and is acting.",
    outcomes: {
      succeeded: "Done",
      failed: "Failed",
      rolled_back: "Rolled back",
      unknown: "Unknown: somebody has to look",
    } satisfies Record<OutcomeStatus, string>,
    outcome: "Outcome",
    outcomeSigned: "Reported and signed by the agent",
    outcomeUnverified: "An outcome was reported, but it could not be verified on this phone.",
    evidence: "Download evidence",
    afterPicture: "Screen after it",
    inbox: "Back to the inbox",
    seconds: (count: number) => `took ${count} s`,
  },
} as const;
