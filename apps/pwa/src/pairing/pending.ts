import { signal } from "@preact/signals";
import * as z from "zod/mini";
import { nowSeconds } from "../clock.js";

const key = "countersign.pairing";

const pendingPairing = z.strictObject({
  approver: z.string(),
  agentJkt: z.string(),
  pairingId: z.string(),
  agentName: z.string(),
  /** The agent's offer, as it was signed: it is verified anew before anything is made of it. */
  offer: z.string(),
  /** P, base64url. */
  statement: z.string(),
  expiresAt: z.int(),
  /** Whether this phone showed the digits: only then can somebody have compared them. */
  digitsShown: z.boolean(),
});

/**
 * A pairing that this phone answered and whose end it has not seen. The app may be closed at any moment in
 * between; none of this is secret.
 */
export type PendingPairing = z.infer<typeof pendingPairing>;

export const pendingPairingSignal = signal(read());

function read(): PendingPairing | null {
  try {
    return pendingPairing.parse(JSON.parse(localStorage.getItem(key) ?? "null"));
  } catch {
    return null;
  }
}

/** The one to finish, if there is one and its time has not run out long since. */
export function pendingPairingOf(approver: string): PendingPairing | null {
  const pending = pendingPairingSignal.value;
  const graceSeconds = 3600;
  if (pending?.approver !== approver) return null;
  return nowSeconds() < pending.expiresAt + graceSeconds ? pending : null;
}

export function rememberPairing(pending: PendingPairing): void {
  localStorage.setItem(key, JSON.stringify(pending));
  pendingPairingSignal.value = pending;
}

export function noteDigitsShown(): void {
  const pending = pendingPairingSignal.value;
  if (pending) rememberPairing({ ...pending, digitsShown: true });
}

export function forgetPairing(): void {
  localStorage.removeItem(key);
  pendingPairingSignal.value = null;
}
