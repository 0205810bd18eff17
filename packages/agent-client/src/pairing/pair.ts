import { hostname } from "node:os";
import {
  compareDigits,
  fromBase64url,
  nonceCommitment,
  type PairingAcceptance,
  type PairingOffer,
  type PairingStatement,
  pairingId,
  pairingLink,
  pairingSeconds,
  randomBytes,
  signPairingOffer,
  thumbprint,
  toBase64url,
  verifyPairingMac,
  verifyPairingStatement,
} from "@countersign/shared";
import type { ClientContext } from "../client/context.js";
import { toNumericDate } from "../clock.js";
import { ClientError } from "../errors.js";
import { logKeyOf, type Pin } from "../home/pins.js";
import type { CallAnswer } from "../http/answer.js";
import { pause, retrying } from "../http/retry.js";

const tries = 3;
const callsForMs = 15_000;

export interface PairOptions {
  /** How the phone names this agent: at most 80 characters. */
  name: string;
  /** Show this as QR code and text. It is a secret until the pairing ends: never log it. */
  onLink: (link: string) => void;
  /**
   * Asks the person at this machine for the six digits that the phone shows, and gives back what was typed.
   * It must not be answered by anything that can read the broker's messages.
   */
  confirmDigits: (ask: { triesLeft: number; signal: AbortSignal }) => Promise<string>;
  signal?: AbortSignal;
}

/** An approver as callers see one. */
export interface PairedApprover {
  approver: string;
  /** The broker's word for the person: text from outside, and no proof of anything. */
  name: string;
  pairedAt: Date;
}

/**
 * Section 6 from the agent's side: offer, exactly one P, verify, reveal, six digits, and only then pin and confirm.
 * Ten minutes and single use by the agent's own clock.
 * @throws ClientError `pairing_failed`, `pairing_expired`, `pairing_canceled`, `digits_wrong`, `keys_changed`,
 *   `keys_shared`, `log_changed`, `unreachable`
 */
export async function pairApprover(
  context: ClientContext,
  options: PairOptions,
): Promise<PairedApprover> {
  const { broker, clock, site, key } = context;
  const expiry = createExpiry(context, options.signal);
  const secret = randomBytes(32);
  const nonce = randomBytes(32);
  const iat = toNumericDate(clock.now());
  const offer: PairingOffer = {
    pairing_id: pairingId(secret),
    agent_jwk: key.jwk,
    name: options.name,
    host: hostname().slice(0, 255) || "unknown",
    commit: nonceCommitment(nonce),
    iss: key.kid,
    aud: site.issuer,
    iat,
    exp: iat + pairingSeconds,
  };
  const id = offer.pairing_id;
  try {
    const jws = await signPairingOffer(offer, key);
    await expiry.call(() => broker.offerPairing(jws, expiry.signal));
    options.onLink(pairingLink(site.origin, secret, key.kid));
    const acceptance = await takeOneAcceptance(context, id, expiry);
    const statement = await verifyAcceptance(acceptance, { secret, site, offer });
    await refuseOtherKeys(context, statement);
    await expiry.call(() => broker.revealNonce(id, toBase64url(nonce), expiry.signal));
    await confirmByPerson(
      compareDigits(fromBase64url(acceptance.statement), nonce),
      options,
      expiry,
    );
    return await pinAndConfirm(context, statement, acceptance, expiry);
  } catch (error) {
    // Best effort: the broker forgets it in ten minutes anyway, and this agent has pinned nothing.
    await broker.endPairing(id);
    throw expiry.reason() ?? error;
  } finally {
    expiry.clear();
  }
}

type Expiry = ReturnType<typeof createExpiry>;

/** Ten minutes by the agent's own clocks, and the caller's patience, in one place. */
function createExpiry({ clock }: ClientContext, aborted: AbortSignal | undefined) {
  const endMs = clock.monotonic() + pairingSeconds * 1000;
  const wallEndMs = clock.now() + pairingSeconds * 1000;
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(), pairingSeconds * 1000);
  const signal = aborted ? AbortSignal.any([aborted, over.signal]) : over.signal;

  function reason(): ClientError | undefined {
    if (aborted?.aborted) return new ClientError("pairing_canceled");
    const late = clock.monotonic() >= endMs || clock.now() >= wallEndMs;
    return late ? new ClientError("pairing_expired") : undefined;
  }

  function check(): void {
    const stop = reason();
    if (stop) throw stop;
  }

  async function call<T>(once: () => Promise<CallAnswer<T>>): Promise<T> {
    const untilMs = Math.min(endMs, clock.monotonic() + callsForMs);
    const answer = await retrying(once, { clock, untilMs, signal });
    check();
    if (answer.ok) return answer.value;
    throw new ClientError(answer.transient ? "unreachable" : "pairing_failed", {
      detail: answer.code,
    });
  }

  return { signal, reason, check, call, clear: () => clearTimeout(timer) };
}

/** The first P is the only one: whatever the broker shows later is never looked at. */
async function takeOneAcceptance(
  { broker }: ClientContext,
  id: string,
  expiry: Expiry,
): Promise<PairingAcceptance> {
  for (;;) {
    const { pairing_id, state, acceptance } = await expiry.call(() =>
      broker.awaitPairing(id, expiry.signal),
    );
    if (pairing_id !== id || state === "ended") throw new ClientError("pairing_failed");
    if (acceptance) return acceptance;
    await pause(100, expiry.signal);
  }
}

async function verifyAcceptance(
  acceptance: PairingAcceptance,
  expected: { secret: Uint8Array; site: ClientContext["site"]; offer: PairingOffer },
): Promise<PairingStatement> {
  try {
    verifyPairingMac(acceptance, expected.secret);
    return await verifyPairingStatement(acceptance, expected);
  } catch (cause) {
    throw new ClientError("pairing_failed", { cause });
  }
}

/**
 * A known approver keeps its keys until it is unpaired here, and no key stands for two approvers: else one person
 * could be counted twice. One broker has one log, whoever of its approvers names it.
 */
async function refuseOtherKeys({ pins }: ClientContext, given: PairingStatement): Promise<void> {
  const credentialKid = thumbprint(given.credential.jwk);
  const deviceKid = thumbprint(given.device.sig_jwk);
  const pinned = await pins.all();
  if (pinned.length > 0 && logKeyOf(pinned) !== given.log_key) throw new ClientError("log_changed");
  for (const pin of pinned) {
    const knowsCredential = pin.credentials.some(
      ({ id, jwk, be }) =>
        id === given.credential.id &&
        be === given.credential.be &&
        thumbprint(jwk) === credentialKid,
    );
    const knowsDevice = pin.devices.some(
      ({ sig_jwk, enc_jwk }) =>
        thumbprint(sig_jwk) === deviceKid &&
        thumbprint(enc_jwk) === thumbprint(given.device.enc_jwk),
    );
    if (pin.approver === given.approver) {
      const forked = pin.chain.seq === given.chain.seq && pin.chain.head !== given.chain.head;
      if (!knowsCredential || !knowsDevice || forked) throw new ClientError("keys_changed");
      continue;
    }
    const shares =
      pin.credentials.some(({ jwk }) => thumbprint(jwk) === credentialKid) ||
      pin.devices.some(({ sig_jwk }) => thumbprint(sig_jwk) === deviceKid);
    if (shares) throw new ClientError("keys_shared");
  }
}

async function confirmByPerson(
  digits: string,
  { confirmDigits }: PairOptions,
  expiry: Expiry,
): Promise<void> {
  for (let triesLeft = tries; triesLeft > 0; triesLeft--) {
    const typed = await confirmDigits({ triesLeft, signal: expiry.signal });
    expiry.check();
    if (typed.replaceAll(/[\s-]/g, "") === digits) return;
  }
  throw new ClientError("digits_wrong");
}

async function pinAndConfirm(
  { broker, clock, pins, logger }: ClientContext,
  statement: PairingStatement,
  acceptance: PairingAcceptance,
  expiry: Expiry,
): Promise<PairedApprover> {
  const { approver } = statement;
  const before = (await pins.all()).find((pin) => pin.approver === approver);
  const pin: Pin = {
    v: 1,
    approver,
    name: before?.name ?? "approver",
    issuer: statement.issuer,
    pairing_id: statement.pairing_id,
    paired_at: toNumericDate(clock.now()),
    acceptance,
    credentials: [statement.credential],
    devices: [statement.device],
    // What this agent saw of the chain and of freezes outlives a pairing that is made anew.
    chain: before && before.chain.seq > statement.chain.seq ? before.chain : statement.chain,
    ...(before?.freeze ? { freeze: before.freeze } : {}),
  };
  await pins.write(pin);
  try {
    await expiry.call(() => broker.confirmPairing(statement.pairing_id));
  } catch (error) {
    // Not live: what was pinned for it goes, and what was there before comes back.
    await pins.withdraw(pin, before);
    throw error;
  }
  const chain = await broker.chain(approver);
  if (chain.ok) await pins.name(approver, pin.pairing_id, chain.value.name);
  const live = (await pins.all()).find(({ pairing_id }) => pairing_id === pin.pairing_id);
  // Somebody unpaired meanwhile, and that stands.
  if (!live) throw new ClientError("pairing_canceled");
  logger.info("paired", { approver });
  return { approver, name: live.name, pairedAt: new Date(pin.paired_at * 1000) };
}
