/** How a person decides, in figures. */
export const oversightStrings = {
  title: "How you decide",
  lead: (days: number, requests: number) =>
    `The last ${days} days: ${requests === 1 ? "1 request" : `${requests} requests`} to you.`,
  why: "Seconds on screen, bursts and nothing ever denied are what approving unread looks like.",
  times: "Times",
  toDecision: "From request to answer",
  onScreen: "On screen before the answer",
  answered: (count: number) => `Of ${count} that you answered.`,
  onScreenOf: (count: number) => `Of ${count} that only you could open.`,
  spread: (median: string, p90: string) => `Half within ${median}, nine of ten within ${p90}.`,
  noAnswers: "Nothing answered yet",
  agents: "Agents",
  approved: (percent: number, answered: number) => `${percent} % of ${answered} approved`,
  unanswered: "none answered by you",
  asked: (requests: number, busiest: number) =>
    `${requests} asked, at most ${busiest} within a minute`,
  empty: "No figures yet",
  emptyText: "They begin with the first request to you.",
} as const;
