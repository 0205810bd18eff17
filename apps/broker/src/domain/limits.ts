/** How long things live and how much of them there may be. Durations in seconds unless their name says otherwise. */
export const limits = {
  ceremonySeconds: 300,
  nonceSeconds: 300,
  invitationSeconds: 24 * 3600,
  sessionSeconds: 30 * 24 * 3600,
  unreferencedContextSeconds: 600,
  /** After this a lost redemption can no longer be asked for again (section 4). */
  redemptionRetrySeconds: 60,
  longPollSeconds: 25,
  heartbeatSeconds: 15,
  /** Pending requests of one agent at a time. */
  pendingPerAgent: 3,
  listPageSize: 50,
  bodyBytes: 64 * 1024,
  streamsPerAgent: 4,
  streamsPerSession: 8,
} as const;
