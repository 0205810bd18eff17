import {
  ProtocolError,
  parseFreeze,
  type SignedFreeze,
  type Site,
  type VerifiedChain,
  verifyFreeze,
} from "@countersign/shared";
import type { Pin } from "../home/pins.js";
import type { ClientContext } from "./context.js";

/** The approver who stopped this agent, if one of the pinned ones did. What is held was verified when it came. */
export function frozenBy(pins: readonly Pin[]): string | undefined {
  return pins.find(({ freeze }) => freeze && parseFreeze(freeze).op === "freeze")?.approver;
}

/**
 * The freeze to hold from now on. One that stops may come from any device that was ever in the verified chain; one
 * that lifts only from keys that this agent counts, else what is held stays. Withholding it changes nothing.
 * @param pin with the keys that count now
 * @throws ProtocolError `freeze_rolled_back`, `freeze_invalid`
 * @see protocol section 3, object 9
 */
export async function freezeToHold(
  pin: Pin,
  given: SignedFreeze | undefined,
  known: { site: Site; agentJkt: string; chain: VerifiedChain },
): Promise<SignedFreeze | undefined> {
  const held = pin.freeze;
  if (!given || given.statement === held?.statement) return held;
  const { op, seq } = parseFreeze(given);
  const heldSeq = held ? parseFreeze(held).seq : 0;
  if (seq < heldSeq) throw new ProtocolError("freeze_rolled_back");
  if (seq === heldSeq) throw new ProtocolError("freeze_invalid", { reason: "fork" });
  const { site, agentJkt, chain } = known;
  const keys = op === "freeze" ? { credentials: [], devices: chain.everyDevice } : pin;
  try {
    await verifyFreeze(given, { site, approver: pin.approver, agentJkt }, keys);
    return given;
  } catch (cause) {
    if (op === "unfreeze") return held;
    throw new ProtocolError("freeze_invalid", { cause });
  }
}

/** The approver who froze this agent by this F, if it verifies by keys that count. */
export async function freezerOf(
  { site, key }: ClientContext,
  given: SignedFreeze,
  pins: readonly Pin[],
): Promise<string | undefined> {
  for (const pin of pins) {
    const expected = { site, approver: pin.approver, agentJkt: key.kid };
    const verified = await verifyFreeze(given, expected, pin).catch(() => undefined);
    if (verified?.op === "freeze") return pin.approver;
  }
  return undefined;
}
