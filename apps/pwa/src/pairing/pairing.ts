import {
  type Bytes,
  fromBase64url,
  type Me,
  type PairingOffer,
  ProtocolError,
  parsePairingLink,
  toBase64url,
  verifyPairingOffer,
} from "@countersign/shared";
import { CallError } from "../api/call.js";
import { acceptPairing, getMe, getPairing } from "../api/endpoints.js";
import { nowSeconds } from "../clock.js";
import { sentenceFor } from "../failure.js";
import { loadChain } from "../keys/chain.js";
import { logKeyOf } from "../log/log.js";
import type { SignedIn } from "../session.js";
import { strings } from "../strings.js";
import { acceptOffer } from "./accept.js";
import { type Following, followPairing } from "./follow.js";
import { forgetPairing, noteDigitsShown, type PendingPairing, rememberPairing } from "./pending.js";

/** A link that was read and the offer behind it, verified under the key that the link names. */
export interface VerifiedOffer {
  secret: Bytes;
  agentJkt: string;
  offer: PairingOffer;
  /** The offer as it was signed. */
  jws: string;
  me: Me;
  /** Of the server's log, as this phone knows it. */
  logKey: string;
}

export type PairView =
  | { kind: "ask"; problem?: string }
  | { kind: "looking" }
  | { kind: "offered"; found: VerifiedOffer; problem?: string }
  | { kind: "accepting"; found: VerifiedOffer }
  | { kind: "waiting"; found: VerifiedOffer }
  | { kind: "resuming"; name: string }
  | { kind: "digits"; digits: string }
  | { kind: "live"; name: string }
  | { kind: "ended"; problem?: string };

export function isPairingLink(text: string, origin: string): boolean {
  try {
    parsePairingLink(text, origin);
    return true;
  } catch {
    return false;
  }
}

/** Reads a link and looks up its offer. Told as a view: a wrong link is no error but an answer. */
export async function lookUp(link: string, own: SignedIn): Promise<PairView> {
  if (!isPairingLink(link, own.site.origin)) {
    return { kind: "ask", problem: strings.pair.wrongLink };
  }
  const { secret, agentJkt, pairingId } = parsePairingLink(link, own.site.origin);
  try {
    const [pairing, told, { seq, head }, logKey] = await Promise.all([
      getPairing(pairingId),
      getMe(),
      loadChain(own),
      logKeyOf(own.site.issuer),
    ]);
    // P names the chain as this phone verified it: the agent measures every later one by it.
    const me = { ...told, chain: { seq, head } };
    const { issuer } = own.site;
    const offer = await verifyPairingOffer(pairing.offer, { issuer, agentJkt, pairingId });
    if (offer.exp <= nowSeconds()) return { kind: "ask", problem: strings.pair.expired };
    if (pairing.state !== "offered") return { kind: "ask", problem: strings.pair.used };
    return { kind: "offered", found: { secret, agentJkt, offer, jws: pairing.offer, me, logKey } };
  } catch (error) {
    const gone = error instanceof CallError && ["not_found", "expired"].includes(error.code);
    return { kind: "ask", problem: gone ? strings.pair.expired : sentenceFor(error) };
  }
}

/** After these this link leads nowhere any more. */
const overCodes: readonly string[] = ["pairing_stale", "pairing_invalid", "not_found", "expired"];

/** From the tap on Pair to the end. Call it straight in the tap's handler. */
export async function pair(
  found: VerifiedOffer,
  own: SignedIn,
  nonce: string,
  show: (view: PairView) => void,
  signal: AbortSignal,
): Promise<void> {
  const { site, device, approver } = own;
  if (!device)
    return show({ kind: "offered", found, problem: strings.refusals.device_not_enrolled });
  const { offer, secret, me, agentJkt, logKey } = found;
  try {
    const accepting = acceptOffer({ site, logKey, device, me, offer, secret, nonce });
    show({ kind: "accepting", found });
    const { statement, acceptance } = await accepting;
    // Before it is sent: a reply that is lost, or an app that is closed, must not lose the pairing.
    rememberPairing({
      approver,
      agentJkt,
      pairingId: offer.pairing_id,
      agentName: offer.name,
      offer: found.jws,
      statement: toBase64url(statement),
      expiresAt: offer.exp,
      digitsShown: false,
    });
    await acceptPairing(offer.pairing_id, acceptance).catch((error) => {
      // It may have arrived all the same: following tells.
      const lost =
        error instanceof CallError && ["unreachable", "unavailable"].includes(error.code);
      if (!lost) throw error;
    });
    await followPairing(
      { approver, offer, agentJkt, statement, digitsShown: false },
      teller(offer.name, show, { kind: "waiting", found }),
      signal,
    );
  } catch (error) {
    if (signal.aborted) return;
    const over =
      error instanceof ProtocolError ||
      (error instanceof CallError && overCodes.includes(error.code));
    const problem = sentenceFor(error);
    if (over) forgetPairing();
    show(over ? { kind: "ended", problem } : { kind: "offered", found, problem });
  }
}

/**
 * Goes on with a pairing that this phone answered before the app was closed. The digits are shown again, and
 * the agent is kept only where they were shown.
 */
export async function resume(
  pending: PendingPairing,
  own: SignedIn,
  show: (view: PairView) => void,
  signal: AbortSignal,
): Promise<void> {
  const { approver, agentJkt, pairingId, agentName, statement, digitsShown } = pending;
  const { issuer } = own.site;
  show({ kind: "resuming", name: agentName });
  try {
    const offer = await verifyPairingOffer(pending.offer, { issuer, agentJkt, pairingId });
    await followPairing(
      { approver, offer, agentJkt, statement: fromBase64url(statement), digitsShown },
      teller(agentName, show, { kind: "resuming", name: agentName }),
      signal,
    );
  } catch (error) {
    if (signal.aborted) return;
    forgetPairing();
    show({ kind: "ended", problem: sentenceFor(error) });
  }
}

/** Each step as a view, and what has to be remembered of it. */
const teller =
  (name: string, show: (view: PairView) => void, waiting: PairView) => (step: Following) => {
    if (step.kind === "waiting") return show(waiting);
    if (step.kind === "digits") noteDigitsShown();
    else forgetPairing();
    show(step.kind === "live" ? { kind: "live", name } : step);
  };
