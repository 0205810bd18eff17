import { type Tier, tier as tierSchema, visible } from "@countersign/shared";
import * as z from "zod/mini";
import type { Classification } from "./classifier.js";
import type { GateContext } from "./context.js";
import { weighFacts } from "./facts.js";
import type { Taken } from "./limits.js";
import type { Understood } from "./normalise.js";
import { decide } from "./policy/decide.js";
import { highest } from "./tier.js";

export type Weight =
  | { verdict: "tier"; tier: Tier; reasons: string[]; asked: boolean }
  | { verdict: "refused"; code: string; reasons: string[] };

/** A model that takes longer has not answered. */
const classifierMs = 20_000;
const classification = z.strictObject({ tier: tierSchema, reasons: z.array(z.string()) });

/**
 * What a call is worth: limits, policy, the command classifier, and last the second model, each of which can only
 * raise what the others said.
 */
export async function weigh(
  gate: GateContext,
  understood: Understood,
  { taken, depth, signal }: { taken: Taken; depth: number; signal: AbortSignal },
): Promise<Weight> {
  const { home, clock } = gate.parts;
  const { question, command } = weighFacts(understood.described, {
    ...{ home, clock, depth, agent: gate.agent, session: gate.session },
    sessionCalls: gate.limits.calls(),
    earlierDenials: gate.denials.count(),
  });
  const policy = gate.policy();
  const answer = decide(policy, question, gate.noRule);
  const reasons = taken.exceeded.map((name) => `limit:${name}`);
  for (const rule of answer.rules) reasons.push(nameRule(rule, policy.rules.get(rule)?.reason));
  if (answer.verdict === "refused") return { verdict: "refused", code: answer.code, reasons };
  let tier = highest(answer.tier, taken.exceeded.length > 0 ? "red" : "green");
  if (command && command.tier !== "green") {
    reasons.push(...command.reasons.map((reason) => `command: ${reason}`));
    if (command.tier !== "unknown") tier = highest(tier, command.tier);
  }
  if (!gate.classifier || tier === "red") return { verdict: "tier", tier, reasons, asked: false };
  const second = await classify(gate, understood, signal);
  reasons.push(...second.reasons);
  return { verdict: "tier", tier: highest(tier, second.tier), reasons, asked: true };
}

const nameRule = (id: string, reason: string | undefined): string => {
  const name = id.startsWith("gate:") ? id : `policy:${id}`;
  return reason === undefined ? name : `${name}: ${reason}`;
};

async function classify(
  { classifier, parts: { logger } }: GateContext,
  { action, described }: Understood,
  signal: AbortSignal,
): Promise<Classification> {
  const { family, resource, context, screenshot } = described;
  const within = AbortSignal.any([signal, AbortSignal.timeout(classifierMs)]);
  try {
    const picture = await screenshot?.();
    const input = {
      action,
      family,
      resource,
      context,
      ...(picture ? { screenshot: picture } : {}),
    };
    const answer = await Promise.race([classifier?.(input, { signal: within }), aborted(within)]);
    const parsed = z.safeParse(classification, answer);
    if (!parsed.success) return { tier: "red", reasons: ["gate:classifier_invalid"] };
    const said = parsed.data.reasons.slice(0, 3).map(quoteClaim);
    return { tier: parsed.data.tier, reasons: said };
  } catch {
    const code = within.aborted ? "classifier_timeout" : "classifier_failed";
    logger.warn("the classifier gave no answer", { code });
    return { tier: "red", reasons: [`gate:${code}`] };
  }
}

/** Its words may be somebody else's: marked as a claim, escaped, and cut. */
const quoteClaim = (reason: string): string => {
  const shown = Array.from(visible(reason));
  return `classifier says: "${shown.slice(0, 200).join("")}${shown.length > 200 ? "..." : ""}"`;
};

export function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop, { once: true });
  });
}
