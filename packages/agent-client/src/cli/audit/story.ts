import {
  approverOf,
  type Evidence,
  fromBase64url,
  hash,
  type Manifest,
  type OutcomeStatus,
  outcome as outcomeClaims,
  parseDenial,
  parseLogProof,
  parsePayload,
  readJws,
} from "@countersign/shared";
import type { OwnRequest } from "../../client/own-request.js";
import type { JournalEntry } from "../../journal/journal.js";
import type { FinalRecord } from "../../journal/records.js";

/** One thing that happened to a request. Times are the agent's own; places in the log are proved. */
export type StoryEvent = { at?: number; log_index?: number } & (
  | { event: "proposed"; tool: string; args: Manifest["action"]["args"]; reasons: string[] }
  | { event: "seen" }
  | { event: "approved"; approver: string }
  | { event: "denied"; approver: string; reason?: string }
  | ({ event: "ended" } & Omit<FinalRecord, "v" | "kind" | "settled_at">)
  | { event: "executed" }
  | { event: "outcome"; n: number; status: OutcomeStatus; code?: string }
  | { event: "undone"; n: number }
);

export interface Story {
  rid: string;
  agent: string;
  tier: string;
  quorum: number;
  events: StoryEvent[];
}

/**
 * What happened to a request, in its order: what the agent did from its journal, what people did from evidence.
 * @param evidence verified before; without it nothing is told of people
 */
export function tellStory(own: OwnRequest, entry: JournalEntry, evidence?: Evidence): Story {
  const { claims, detail } = own.request;
  const { action, reasons } = own.manifest;
  const places = placesIn(evidence);
  const proposed: StoryEvent = {
    event: "proposed",
    at: claims.iat,
    ...places("request").at(0),
    tool: action.tool,
    args: action.args,
    reasons: [...reasons],
  };
  return {
    rid: own.rid,
    agent: own.agent.kid,
    tier: detail.tier,
    quorum: detail.quorum,
    events: [
      proposed,
      ...places("open").map((place): StoryEvent => ({ event: "seen", ...place })),
      ...decisionsIn(evidence, places),
      ...endingOf(entry),
      ...outcomesOf(entry, places("outcome")),
    ],
  };
}

type Place = { log_index?: number };

/** Where the leaves of one kind stand, in the order of the log; without a place as long as no checkpoint has them. */
const placesIn =
  (evidence: Evidence | undefined) =>
  (kind: string, digest?: string): Place[] =>
    (evidence?.leaves ?? [])
      .filter(({ record }) => record.kind === kind && (digest ?? record.digest) === record.digest)
      .map(({ proof }) => (proof === undefined ? {} : { log_index: parseLogProof(proof).index }));

function decisionsIn(
  evidence: Evidence | undefined,
  places: ReturnType<typeof placesIn>,
): StoryEvent[] {
  return (evidence?.decisions ?? []).map((given): StoryEvent => {
    const bytes = fromBase64url(given.statement);
    const [place] = places(given.decision, hash(given.decision, bytes));
    const told = { approver: approverOf(given), ...place };
    if (given.decision === "approve") return { event: "approved", ...told };
    const { reason } = parseDenial(bytes);
    return { event: "denied", ...told, ...(reason === undefined ? {} : { reason }) };
  });
}

function endingOf({ settlement }: JournalEntry): StoryEvent[] {
  if (!settlement) return [];
  if (settlement.kind === "claim") return [{ event: "executed", at: settlement.claimed_at }];
  const { v: _, kind: __, settled_at: at, ...ending } = settlement;
  return [{ event: "ended", at, ...ending }];
}

function outcomesOf({ outcomes }: JournalEntry, places: readonly Place[]): StoryEvent[] {
  return outcomes.map(({ n, status, code, outcome }): StoryEvent => {
    const { payload } = readJws(outcome, "countersign-outcome+jwt");
    const { ended_at: at } = parsePayload(outcomeClaims, payload);
    const when = { at, ...places[n - 1] };
    if (status === "rolled_back" && n > 1) return { event: "undone", n, ...when };
    return { event: "outcome", n, status, ...(code === undefined ? {} : { code }), ...when };
  });
}
