import { signal } from "@preact/signals";

/**
 * The pairing link by which this page was opened. It is taken out of the address bar, and so out of the
 * history, before anything else runs; the secret in it stays in memory.
 */
export const arrivedPairingLink = signal<string | null>(null);

/** The link of a new phone by which this page was opened, treated alike. */
export const arrivedDeviceLink = signal<string | null>(null);

/** The invitation by which this page was opened. It stays in the address until it is used: a reload must not lose it. */
export const arrivedInvitation = signal<string | null>(null);

/** Takes a used invitation out of the address bar too. */
export function forgetInvitation(): void {
  arrivedInvitation.value = null;
  history.replaceState(null, "", location.pathname);
}

/** Reads what the address brought. Also for a link opened while the app is there: only its fragment changes then. */
export function readArrival(): void {
  if (location.hash.length < 2) return;
  if (location.pathname === "/pair") {
    arrivedPairingLink.value = location.href;
    history.replaceState(null, "", "/pair");
  } else if (location.pathname === "/link") {
    arrivedDeviceLink.value = location.href;
    history.replaceState(null, "", "/devices");
  } else if (location.pathname === "/enrol") {
    arrivedInvitation.value = location.hash.slice(1);
  }
}

readArrival();
window.addEventListener("hashchange", readArrival);
