import { crockford, type RequestSummary } from "@countersign/shared";
import type { Arrival } from "./arrivals.js";

/** What the match code takes: to be compared, or to be picked out of three. */
export type CodeCheck =
  | { kind: "unknown" }
  | { kind: "compare" }
  | { kind: "choose"; choices: readonly string[]; wrongPicks: number }
  | { kind: "chosen" };

const burst = { requests: 3, seconds: 120 };
const newAgent = { requests: 3, seconds: 24 * 3600 };
/** The second wrong code denies the request. */
export const maxWrongPicks = 2;

interface PickFacts {
  /** NumericDate of the pairing and of this request, both from what this phone verified. */
  pairedAt: number;
  askedAt: number;
  rid: string;
  agentJkt: string;
  /** What this phone opened before. */
  arrivals: readonly Arrival[];
  /** What waits, by the server's word: it can add to a burst, and hide nothing that this phone saw. */
  inbox: readonly Waiting[];
  always: boolean;
}
type Waiting = Pick<RequestSummary, "rid" | "client_id" | "created_at">;

/**
 * Whether comparing is not enough: somebody hurried by a burst, or not used to an agent yet, says yes to
 * whatever is there.
 * @see protocol section 3, match code
 */
export function mustPick(facts: PickFacts): boolean {
  const { rid, agentJkt, askedAt } = facts;
  const opened = facts.arrivals.filter((one) => one.agent === agentJkt && one.rid !== rid);
  const times = new Map(opened.map((one) => [one.rid, one.at]));
  for (const one of facts.inbox) {
    if (one.client_id === agentJkt && one.rid !== rid) times.set(one.rid, one.created_at);
  }
  const near = [...times.values()].filter((at) => Math.abs(at - askedAt) <= burst.seconds);
  return (
    facts.always ||
    askedAt - facts.pairedAt < newAgent.seconds ||
    opened.length < newAgent.requests ||
    near.length + 1 >= burst.requests
  );
}

/** The code and two decoys, in no order that anybody could learn. Made here: a server that knew them could guide a thumb. */
export function choicesFor(code: string): string[] {
  const choices = new Set([code]);
  while (choices.size < 3) choices.add(decoy());
  const [first, ...rest] = [...choices] as [string, ...string[]];
  rest.splice(randomBelow(3), 0, first);
  return rest;
}

function decoy(): string {
  const characters = Array.from({ length: 6 }, () => crockford[randomBelow(32)]).join("");
  return `${characters.slice(0, 3)}-${characters.slice(3)}`;
}

function randomBelow(limit: number): number {
  // The largest multiple of the limit that fits a byte: beyond it some numbers would come more often.
  const fair = 256 - (256 % limit);
  for (;;) {
    const [byte = 0] = crypto.getRandomValues(new Uint8Array(1));
    if (byte < fair) return byte % limit;
  }
}
