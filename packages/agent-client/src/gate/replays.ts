import { canonicalBytes, ProtocolError, randomId, sha256Text } from "@countersign/shared";
import type { GateOutcome } from "./outcome.js";

/** The oldest keys are forgotten first; what a person was asked for is on disk for longer. */
const maxKeys = 10_000;

/** Calls under one key are one call: whoever gives the key again gets what the first one came to. */
export function createReplays() {
  const calls = new Map<string, { call: string; outcome: Promise<GateOutcome> }>();
  return {
    once(
      call: unknown,
      key: string | undefined,
      run: () => Promise<GateOutcome>,
    ): Promise<GateOutcome> {
      if (key === undefined) return run();
      const hash = hashOf(call);
      const before = calls.get(key);
      if (before) return before.call === hash ? before.outcome : Promise.resolve(reused());
      const outcome = run();
      calls.set(key, { call: hash, outcome });
      // Nothing came of it: it may be tried again.
      outcome.catch(() => calls.delete(key));
      const [oldest] = calls.keys();
      if (calls.size > maxKeys && oldest !== undefined) calls.delete(oldest);
      return outcome;
    },
  };
}

const reused = (): GateOutcome => ({
  status: "refused_by_policy",
  code: "key_reused",
  decision: { id: randomId(), reasons: ["gate:key_reused"] },
});

/** What is no JSON is refused soon enough; here it only must not be taken for something else. */
function hashOf(call: unknown): string {
  try {
    return sha256Text(canonicalBytes(call));
  } catch (error) {
    if (error instanceof ProtocolError || error instanceof TypeError) return "";
    throw error;
  }
}
