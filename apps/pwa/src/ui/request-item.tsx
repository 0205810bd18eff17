import type { RequestSummary } from "@countersign/shared";
import { now } from "../clock.js";
import type { PairedAgent } from "../keys/paired-agents.js";
import { strings } from "../strings.js";
import { countdown, localTime } from "../times.js";
import { AgentName } from "./agent-name.js";
import { knownTier, TierBadge } from "./tier.js";

interface RequestItemProps {
  request: RequestSummary;
  /** From this phone's own pairing record: the summary's name for the agent is never shown. */
  agent: PairedAgent | undefined;
  /** It stood here as pending and does not wait any more. */
  gone?: boolean;
  testId: string;
}

/** One request in a list. It only leads to the review: nothing here was verified yet. */
export function RequestItem({ request, agent, gone = false, testId }: RequestItemProps) {
  const pending = request.state === "pending" && !gone;
  const tier = knownTier(request.tier);
  return (
    <a
      class={gone ? "item gone" : "item"}
      href={`/requests/${encodeURIComponent(request.rid)}`}
      data-testid={testId}
    >
      <span class="item-main">
        <AgentName agent={agent} />
        {pending && request.decided === "approve" && (
          <span class="quiet">
            {strings.inbox.approvedByYou(request.approvals, request.quorum)}
          </span>
        )}
      </span>
      <span class="item-side">
        {pending && tier && <TierBadge tier={tier} />}
        {gone && <span class="state">{strings.inbox.gone}</span>}
        {!pending && !gone && (
          <span class={`state state-${request.state}`}>
            {request.frozen ? strings.deniedByFreeze : strings.states[request.state]}
          </span>
        )}
        {!gone && (
          <span class="quiet tabular">
            {pending
              ? strings.review.timeLeft(countdown(request.expires_at - now.value))
              : localTime(request.settled_at ?? request.created_at)}
          </span>
        )}
      </span>
    </a>
  );
}
