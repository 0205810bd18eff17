import type { Tier } from "@countersign/shared";
import { strings } from "../strings.js";
import { CarefulIcon, CheckIcon, DangerIcon } from "./icons.js";

const icons = { red: DangerIcon, yellow: CarefulIcon, green: CheckIcon };

/** Icon, word and colour: no one of them alone. */
export function TierBadge({ tier }: { tier: Tier }) {
  const TierIcon = icons[tier];
  return (
    <span class={`badge tier-${tier}`}>
      <TierIcon />
      {strings.tiers[tier]}
    </span>
  );
}

/** The tier that a list names, where it is one that this app knows. */
export const knownTier = (name: string): Tier | null =>
  name === "red" || name === "yellow" || name === "green" ? name : null;
