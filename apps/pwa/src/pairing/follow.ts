import { type Bytes, compareDigits, fromBase64url, type PairingOffer } from "@countersign/shared";
import { CallError } from "../api/call.js";
import { awaitPairing } from "../api/endpoints.js";
import { nowSeconds } from "../clock.js";
import { savePairedAgent } from "../keys/paired-agents.js";
import { wait } from "../wait.js";

/** Where a pairing stands once this phone has answered. */
export type Following =
  | { kind: "waiting" }
  | { kind: "digits"; digits: string }
  | { kind: "live" }
  | { kind: "ended" };

const retryMs = 2_000;

/**
 * Follows a pairing from this phone's answer to its end, and tells each step. The agent is trusted, and so
 * kept, only once it is live: that is when the person has typed the digits there.
 * @param statement P, whose commitment the agent's nonce must open
 * @throws ProtocolError `pairing_invalid` when the nonce is not the one committed to; CallError when refused
 */
export async function followPairing(
  parts: {
    approver: string;
    offer: PairingOffer;
    agentJkt: string;
    statement: Bytes;
    /** Whether this phone showed the digits before, in an earlier life of the app. */
    digitsShown: boolean;
  },
  tell: (step: Following) => void,
  signal: AbortSignal,
): Promise<void> {
  const { offer, statement } = parts;
  let after: "accepted" | "revealed" = "accepted";
  let { digitsShown } = parts;
  tell({ kind: "waiting" });
  while (!signal.aborted) {
    const pairing = await look(offer.pairing_id, after, signal);
    if (signal.aborted) return;
    if (pairing === null) continue;
    if (pairing.state === "ended") return tell({ kind: "ended" });
    if (pairing.state === "offered") return tell({ kind: "ended" });
    if (pairing.state === "live") {
      // Digits that this phone never showed were compared by nobody.
      if (!digitsShown) return tell({ kind: "ended" });
      await keep(parts);
      return tell({ kind: "live" });
    }
    if (pairing.state === "revealed" && after === "accepted") {
      const digits = compareDigits(statement, fromBase64url(pairing.nonce ?? ""));
      after = "revealed";
      digitsShown = true;
      tell({ kind: "digits", digits });
    }
    if (nowSeconds() > offer.exp) return tell({ kind: "ended" });
  }
}

/** Null where the network failed: the pairing goes on meanwhile, so look again. */
async function look(pairingId: string, after: "accepted" | "revealed", signal: AbortSignal) {
  try {
    return await awaitPairing(pairingId, after, signal);
  } catch (error) {
    const passing =
      error instanceof CallError &&
      ["unreachable", "unavailable", "slow_down"].includes(error.code);
    if (!passing) throw error;
    await wait(retryMs, signal);
    return null;
  }
}

async function keep(parts: {
  approver: string;
  offer: PairingOffer;
  agentJkt: string;
}): Promise<void> {
  const { approver, offer, agentJkt } = parts;
  await savePairedAgent({
    approver,
    agent_jkt: agentJkt,
    jwk: offer.agent_jwk,
    name: offer.name,
    host: offer.host,
    paired_at: nowSeconds(),
  });
}
