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
  /** Null where no time runs any more. */
  expiresAt: number | null;
}

/** Who asks, how dangerous it is, and how long there is to decide. */
export function WhoAsks({ agent, tier, expiresAt }: WhoAsksProps) {
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
        {expiresAt !== null && <TimeLeft expiresAt={expiresAt} />}
      </p>
    </section>
  );
}

function TimeLeft({ expiresAt }: { expiresAt: number }) {
  const left = expiresAt - now.value;
  // A timer is not read out every second; whoever asks for it hears it.
  return (
    <span class={left < 60 ? "time-left short" : "time-left"} role="timer">
      {left > 0 ? strings.review.timeLeft(countdown(left)) : strings.review.timeUp}
    </span>
  );
}
