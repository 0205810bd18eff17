import {
  type ApproverChain,
  fromBase64url,
  ProtocolError,
  parsePairingStatement,
  pinnedKeys,
  thumbprint,
  verifyChain,
} from "@countersign/shared";
import type { Pin } from "../home/pins.js";
import { retrying } from "../http/retry.js";
import type { ClientContext } from "./context.js";
import { freezeToHold } from "./freeze.js";

/** Whether the pins are what their approvers' chains say now. */
export type Refreshed =
  | { status: "current" }
  | { status: "unreachable" | "integrity_mismatch"; code: string };

/**
 * Fetches the chains of paired approvers, verifies each from its root, and keeps what they add to the pins and
 * take from them, and the latest freezes. Before sealing and before verifying.
 * @param required approvers whose chains must be had; those of others are looked at for their freezes only, once
 * @returns the first trouble with a required one; a chain that was tampered with outweighs one that is missing
 * @see protocol section 5, "Keys change only by the chain"
 */
export async function refreshPins(
  context: ClientContext,
  required: readonly string[],
  patience: { untilMs: number; signal?: AbortSignal | undefined },
): Promise<Refreshed> {
  const pins = await context.pins.all();
  const results = await Promise.all(
    pins.map(async (pin): Promise<Refreshed> => {
      const isRequired = required.includes(pin.approver);
      const untilMs = isRequired ? patience.untilMs : context.clock.monotonic();
      const result = await refreshPin(context, pin, pins, { ...patience, untilMs });
      if (result.status !== "current") {
        context.logger.warn("a key chain was not taken", {
          approver: pin.approver,
          code: result.code,
        });
      }
      return isRequired ? result : { status: "current" };
    }),
  );
  return (
    results.find(({ status }) => status === "integrity_mismatch") ??
    results.find(({ status }) => status === "unreachable") ?? { status: "current" }
  );
}

async function refreshPin(
  context: ClientContext,
  pin: Pin,
  pins: readonly Pin[],
  patience: { untilMs: number; signal?: AbortSignal | undefined },
): Promise<Refreshed> {
  const { broker, clock } = context;
  const answer = await retrying(() => broker.chain(pin.approver, patience.signal), {
    clock,
    ...patience,
  });
  if (!answer.ok) return { status: "unreachable", code: answer.code };
  try {
    const next = await advancePin(context, pin, answer.value);
    refuseSharedKeys(next, pins);
    if (hasNews(pin, next)) await context.pins.advance(next);
    return { status: "current" };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return { status: "integrity_mismatch", code: error.code };
  }
}

/** The pin as its chain leaves it: always from P and the whole chain anew, never from what was added before. */
async function advancePin(
  { site, key }: ClientContext,
  pin: Pin,
  given: ApproverChain,
): Promise<Pin> {
  const paired = parsePairingStatement(fromBase64url(pin.acceptance.statement));
  const chain = await verifyChain(given.chain, {
    site,
    approver: pin.approver,
    seen: [paired.chain, pin.chain],
  });
  const start = { credentials: [paired.credential], devices: [paired.device] };
  const { credentials, devices } = pinnedKeys(start, chain);
  const next: Pin = {
    ...pin,
    credentials: [...credentials],
    devices: [...devices],
    chain: { seq: chain.seq, head: chain.head },
  };
  const freeze = await freezeToHold(next, given.freeze, { site, agentJkt: key.kid, chain });
  return freeze ? { ...next, freeze } : next;
}

const hasNews = (before: Pin, after: Pin): boolean =>
  before.chain.seq !== after.chain.seq ||
  before.devices.length !== after.devices.length ||
  before.credentials.length !== after.credentials.length ||
  before.freeze?.statement !== after.freeze?.statement;

/** No key stands for two approvers, however it came: else one person could be counted twice. */
function refuseSharedKeys(next: Pin, pins: readonly Pin[]): void {
  const names = (pin: Pin) => [
    ...pin.credentials.map(({ jwk }) => thumbprint(jwk)),
    ...pin.devices.map(({ sig_jwk }) => thumbprint(sig_jwk)),
  ];
  const others = new Set(pins.filter(({ approver }) => approver !== next.approver).flatMap(names));
  if (names(next).some((name) => others.has(name))) {
    throw new ProtocolError("chain_invalid", { reason: "keys_shared" });
  }
}
