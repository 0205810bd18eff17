import type { RequestState, Tier } from "@countersign/shared";

/** Requests in lists: the inbox, the history, and what both say of one. */
export const requestsStrings = {
  inbox: {
    title: "Inbox",
    waiting: (count: number) =>
      count === 0 ? "Nothing waiting" : count === 1 ? "1 request waits" : `${count} requests wait`,
    gone: "No longer waiting",
    empty: "Nothing waiting",
    emptyText: "When an agent asks for approval, it appears here by itself.",
    noAgents: "No agent is paired with this phone yet.",
    unknownAgent: "Not an agent of this phone",
    review: "Review",
    recovering: "Somebody used a recovery code of this account.",
    recoveringLook: "See it and stop it",
    approvedByYou: (approvals: number, quorum: number) =>
      `You approved. ${approvals} of ${quorum} so far.`,
    notEnrolled:
      "This device is not enrolled. It can look, but not decide: open the inbox on the phone that you enrolled.",
  },
  history: {
    title: "History",
    empty: "Nothing yet",
    emptyText: "What you decided, and what became of it, is kept here.",
    more: "Show earlier",
  },
  tiers: { red: "Dangerous", yellow: "Careful", green: "Routine" } satisfies Record<Tier, string>,
  deniedByFreeze: "Denied by a freeze",
  states: {
    pending: "Waiting",
    approved: "Approved",
    denied: "Denied",
    canceled: "Withdrawn",
    expired: "Expired",
    redeemed: "Approved",
    reported: "Approved",
  } satisfies Record<RequestState, string>,
} as const;
