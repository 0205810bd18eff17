import { type ReadonlySignal, useSignal, useSignalEffect } from "@preact/signals";
import { nowSeconds } from "../clock.js";
import { wait } from "../wait.js";
import { createNonce, type NoncePurpose } from "./endpoints.js";

/** Leave a person this long to finish a ceremony that was begun with the oldest nonce, in seconds. */
const spareSeconds = 45;
const retryMs = 3_000;

/**
 * Keeps a nonce at hand, so that WebAuthn can be called straight in a tap's handler: browsers forget the
 * tap while a nonce is fetched.
 * @returns the nonce, null until there is one; `renew` after it was used or refused
 */
export function useNonce(purpose: NoncePurpose): {
  nonce: ReadonlySignal<string | null>;
  renew: () => void;
} {
  const nonce = useSignal<string | null>(null);
  const round = useSignal(0);
  useSignalEffect(() => {
    const stop = new AbortController();
    if (round.value >= 0) void keepFresh(purpose, (value) => (nonce.value = value), stop.signal);
    return () => stop.abort();
  });
  return {
    nonce,
    renew: () => {
      nonce.value = null;
      round.value++;
    },
  };
}

async function keepFresh(
  purpose: NoncePurpose,
  give: (nonce: string) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const { broker_nonce, expires_at } = await createNonce(purpose, signal);
      if (signal.aborted) return;
      give(broker_nonce);
      await wait(Math.max(10, expires_at - nowSeconds() - spareSeconds) * 1000, signal);
    } catch {
      await wait(retryMs, signal);
    }
  }
}
