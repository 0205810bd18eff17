import { canonicalBytes, type Json } from "@countersign/shared";
import type { NotApproved, RefusedByPolicy } from "../client/answer.js";
import { endingOf } from "../transactions/ending.js";
import type { GateContext } from "./context.js";
import type { Guarded } from "./guard.js";
import type { OwnCall, Understood } from "./normalise.js";
import { perform } from "./perform.js";

/** What a person is to be asked about. */
export interface RedCall {
  id: string;
  own: OwnCall;
  understood: Understood;
  reasons: readonly string[];
  /** The caller's key for this call, and the call's hash. */
  keyed: { key: string; call: string } | undefined;
  agentClaim: string | undefined;
  signal: AbortSignal;
}

/** Another process asks for the same call under the same key; this one takes its own request back. */
class AskedElsewhere extends Error {
  override readonly name = "AskedElsewhere";
}

/**
 * The red path: asked on the phone, verified, claimed, executed from the approved bytes, reported. A call that was
 * asked under its key before goes on with that request: it is never asked, and never executed, twice.
 */
export async function askOnPhone(gate: GateContext, red: RedCall): Promise<Guarded<Json>> {
  const { keyed } = red;
  const before = keyed && (await gate.keys.find(keyed.key));
  if (before) return goOn(gate, red, before);
  try {
    return await ask(gate, red);
  } catch (error) {
    const first = error instanceof AskedElsewhere && keyed && (await gate.keys.find(keyed.key));
    if (first) return goOn(gate, red, first);
    throw error;
  }
}

async function ask(gate: GateContext, red: RedCall): Promise<Guarded<Json>> {
  const { id, own, understood, reasons, agentClaim, keyed, signal } = red;
  if (gate.denials.areMany(understood.action.tool)) {
    return { status: "refused_by_policy", code: "denied_often" };
  }
  const { proposal, screenshot } = understood.described;
  let current: string | undefined;
  return gate.client.guard(
    proposal,
    (action, options) => {
      const at = { executor: own.executor, id, ...(current === undefined ? {} : { rid: current }) };
      return perform(gate, at, action, options.signal);
    },
    {
      ...gate.asking,
      signal,
      reasons: reasons.slice(0, 24).map(fit),
      resultOf: canonicalBytes,
      ...(screenshot ? { screenshot, afterPicture: screenshot } : {}),
      ...(agentClaim === undefined ? {} : { agentClaim }),
      onPending: async (pending) => {
        const { rid } = pending;
        if (keyed && current !== undefined) await gate.keys.replace(keyed.key, { ...keyed, rid });
        else if (keyed && !(await gate.keys.add(keyed.key, { ...keyed, rid }))) {
          throw new AskedElsewhere();
        }
        current = rid;
        gate.onPending?.(pending);
      },
    },
  );
}

/** A reason holds 500 characters. */
const fit = (reason: string): string =>
  reason.length <= 400 ? reason : `${Array.from(reason).slice(0, 380).join("")}...`;

async function goOn(
  gate: GateContext,
  { id, own, keyed, signal }: RedCall,
  { rid, call }: { rid: string; call: string },
): Promise<Guarded<Json>> {
  if (call !== keyed?.call) return { status: "refused_by_policy", code: "key_reused" };
  const answer = await gate.client.resume(rid, { signal });
  const claimed = answer.status === "approved" ? await gate.client.claim(rid) : answer;
  if (claimed.status !== "claimed") return claimed satisfies NotApproved | RefusedByPolicy;
  if (signal.aborted) {
    await gate.client.report(rid, { status: "failed", code: "canceled" });
    return { status: "canceled", rid };
  }
  let value: Json;
  try {
    value = await perform(gate, { executor: own.executor, id, rid }, claimed.action, signal);
  } catch (error) {
    await gate.client.report(rid, endingOf(error));
    return { status: "approved", rid, outcome: "failed", error };
  }
  await gate.client.report(rid, { status: "succeeded", result: canonicalBytes(value) });
  return { status: "approved", rid, outcome: "succeeded", value };
}
