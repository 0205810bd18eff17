import { type Tier, visible } from "@countersign/shared";
import { now } from "../clock.js";
import type { PairedAgent } from "../keys/paired-agents.js";
import { strings } from "../strings.js";
import { countdown } from "../times.js";
import { Rendered } from "../ui/text.js";
import { TierBadge } from "../ui/tier.js";

interface WhoAsksProps {
  /** From this phone's own pairing, never from the server. */
  agent: PairedAgent;
  tier: Tier | null;
  /** NumericDates by the agent's own signed word; null where no time runs any more. */
  time: { from: number | undefined; until: number } | null;
}

/** Who asks, how dangerous it is, and how long there is to decide. */
export function WhoAsks({ agent, tier, time }: WhoAsksProps) {
  return (
    <section class="who">
      <p class="who-name">
        <Rendered>{visible(agent.name)}</Rendered>
      </p>
      <p class="who-host">
        {strings.agents.on} <Rendered>{visible(agent.host)}</Rendered>
      </p>
      <p class="who-facts">
        {tier && <TierBadge tier={tier} />}
        {time && <TimeLeft {...time} />}
      </p>
    </section>
  );
}

function TimeLeft({ from, until }: { from: number | undefined; until: number }) {
  const left = Math.max(0, until - now.value);
  const share = from === undefined ? 1 : Math.min(1, left / Math.max(1, until - from));
  // A timer is not read out every second; whoever asks for it hears it.
  return (
    <span class={left < 60 ? "time-left short" : "time-left"} role="timer">
      <svg class="ring" viewBox="0 0 20 20" aria-hidden="true">
        <circle class="ring-ground" cx="10" cy="10" r="8" />
        <circle
          class="ring-left"
          cx="10"
          cy="10"
          r="8"
          pathLength="1"
          stroke-dasharray={`${share} 1`}
        />
      </svg>
      {left > 0 ? strings.review.timeLeft(countdown(left)) : strings.review.timeUp}
    </span>
  );
}
