import {
  type Bytes,
  type Me,
  type PairingOffer,
  ProtocolError,
  parsePairingLink,
  verifyPairingOffer,
} from "@countersign/shared";
import { CallError } from "../api/call.js";
import { acceptPairing, getMe, getPairing } from "../api/endpoints.js";
import { nowSeconds } from "../clock.js";
import { sentenceFor } from "../failure.js";
import type { SignedIn } from "../session.js";
import { strings } from "../strings.js";
import { acceptOffer } from "./accept.js";
import { followPairing } from "./follow.js";

/** A link that was read and the offer behind it, verified under the key that the link names. */
export interface VerifiedOffer {
  secret: Bytes;
  agentJkt: string;
  offer: PairingOffer;
  me: Me;
}

export type PairView =
  | { kind: "ask"; problem?: string }
  | { kind: "looking" }
  | { kind: "offered"; found: VerifiedOffer; problem?: string }
  | { kind: "accepting"; found: VerifiedOffer }
  | { kind: "waiting"; found: VerifiedOffer }
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
    const [pairing, me] = await Promise.all([getPairing(pairingId), getMe()]);
    const { issuer } = own.site;
    const offer = await verifyPairingOffer(pairing.offer, { issuer, agentJkt, pairingId });
    if (offer.exp <= nowSeconds()) return { kind: "ask", problem: strings.pair.expired };
    if (pairing.state !== "offered") return { kind: "ask", problem: strings.pair.used };
    return { kind: "offered", found: { secret, agentJkt, offer, me } };
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
  const { offer, secret, me, agentJkt } = found;
  try {
    const accepting = acceptOffer({ site, device, me, offer, secret, nonce });
    show({ kind: "accepting", found });
    const { statement, acceptance } = await accepting;
    await acceptPairing(offer.pairing_id, acceptance);
    await followPairing(
      { approver, offer, agentJkt, statement },
      (step) => {
        if (step.kind === "waiting") show({ kind: "waiting", found });
        else if (step.kind === "live") show({ kind: "live", name: offer.name });
        else show(step);
      },
      signal,
    );
  } catch (error) {
    if (signal.aborted) return;
    const over =
      error instanceof ProtocolError ||
      (error instanceof CallError && overCodes.includes(error.code));
    const problem = sentenceFor(error);
    show(over ? { kind: "ended", problem } : { kind: "offered", found, problem });
  }
}
