import { visible } from "@countersign/shared";

/**
 * "unknown" is for what the lists do not know and what is otherwise readable: a policy may know better. What cannot
 * be read, or is known to do harm, is red, and no policy lowers that.
 */
export type CommandTier = "green" | "yellow" | "unknown" | "red";

/** What one part of a command comes to. Reasons are of what raised it. */
export interface Verdict {
  tier: CommandTier;
  reasons: readonly string[];
}

export const green: Verdict = { tier: "green", reasons: [] };
export const yellow = (reason: string): Verdict => ({ tier: "yellow", reasons: [reason] });
export const unknown = (reason: string): Verdict => ({ tier: "unknown", reasons: [reason] });
export const red = (reason: string): Verdict => ({ tier: "red", reasons: [reason] });

const order: Record<CommandTier, number> = { green: 0, yellow: 1, unknown: 2, red: 3 };

/** The highest of all, with the reasons of those that came to it. */
export function worst(verdicts: readonly Verdict[]): Verdict {
  const tier = verdicts.reduce<CommandTier>(
    (so, given) => (order[given.tier] > order[so] ? given.tier : so),
    "green",
  );
  const reasons = verdicts.filter((given) => given.tier === tier).flatMap((given) => given.reasons);
  return { tier, reasons: [...new Set(reasons)].slice(0, 5) };
}

/** A word of a command in a reason: escaped, and no longer than it has to be. */
export function say(word: string): string {
  const shown = Array.from(visible(word));
  return shown.length <= 60 ? shown.join("") : `${shown.slice(0, 57).join("")}...`;
}
