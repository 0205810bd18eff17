/** What an operator may allow agents. */
export interface AgentLimits {
  /** Requests that one agent may have open at a time. */
  pendingPerAgent: number;
  /** Alerts of one agent to one approver in ten minutes; later requests wait in the inbox without one. */
  pushesPerWindow: number;
}

/** How long things live and how much of them there may be. Durations in seconds unless their name says otherwise. */
export const limits = {
  ceremonySeconds: 300,
  nonceSeconds: 300,
  invitationSeconds: 24 * 3600,
  sessionSeconds: 30 * 24 * 3600,
  /** Between a recovery's start and its effect, for every device to see it and stop it; and how long it stays open then. */
  recoveryWaitSeconds: 24 * 3600,
  recoveryOpenSeconds: 7 * 24 * 3600,
  unreferencedContextSeconds: 600,
  /** After this a lost redemption can no longer be asked for again (section 4). */
  redemptionRetrySeconds: 60,
  longPollSeconds: 25,
  heartbeatSeconds: 15,
  /** After so long an agent's stream reads everything again, whether it was told to or not. */
  rereadSeconds: 300,
  /** Ciphertext that one agent may have here, the settled requests' of the last day included. */
  contextBytesPerAgent: 256 * 1024 * 1024,
  /** Beside the requests that an agent may have open: room for retries, of eight requests with a picture each. */
  unreferencedContextsPerAgent: 16,
  /** Requests that one purge of records takes. */
  recordsPerPurge: 500,
  listPageSize: 50,
  /** What the figures of oversight cover. */
  oversightDays: 30,
  /** What happened longer ago is not told to a reader who comes back: no request is open for so long. */
  replaySeconds: 3600,
  /** Hints that a stream remembers to have sent: as many as it reads a second time. */
  hintsRemembered: 1000,
  /** Of an event stream's replay: it fits into the backlog that a reader may have. */
  hintPageSize: 250,
  bodyBytes: 64 * 1024,
  streamsPerAgent: 4,
  streamsPerSession: 8,
  /** Leaves that one statement puts into the tree. */
  leavesPerBatch: 1000,
  /** Records that one page of an auditor's has. */
  recordsPerPage: 256,
  /** What an agent takes. */
  leavesInEvidence: 256,
  /** The window of `AgentLimits.pushesPerWindow`. */
  pushWindowSeconds: 600,
  /** After this a claimed push is somebody else's to send: longer than sending can take. */
  pushLeaseSeconds: 30,
  pushesInFlight: 32,
  pushTimeoutMilliseconds: 10_000,
  pushBackoffSeconds: { first: 1, longest: 60 },
} as const;
