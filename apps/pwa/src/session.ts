import type { Site } from "@countersign/shared";
import { signal } from "@preact/signals";
import { CallError } from "./api/call.js";
import { getSite } from "./api/endpoints.js";
import { type Device, loadDevice } from "./keys/device.js";

export interface SignedIn {
  status: "signed_in";
  site: Site;
  approver: string;
  name: string;
  /** Null on a device that was not enrolled: it can look, but not decide. */
  device: Device | null;
}

export type Session =
  | { status: "loading" }
  | { status: "unreachable" }
  | { status: "wrong_address"; origin: string }
  | { status: "signed_out"; site: Site; invited: boolean }
  | SignedIn;

/** Who this browser is to the server. Every screen starts from it. */
export const session = signal<Session>({ status: "loading" });

/** Asks the server anew. A session that is open stays as it is while the server cannot be reached. */
export async function refreshSession(): Promise<void> {
  try {
    session.value = await fetchSession();
  } catch (error) {
    if (!(error instanceof CallError)) throw error;
    if (session.value.status === "loading") session.value = { status: "unreachable" };
  }
}

/** The session ended at the server, or the person ended it. */
export function leaveSession(): void {
  if (session.value.status === "signed_in") {
    session.value = { status: "signed_out", site: session.value.site, invited: false };
  }
}

async function fetchSession(): Promise<Session> {
  const { approver, invited = false, issuer, rp_id, origin } = await getSite();
  // All that is signed names the origin: a server that gives another one than the address bar is misconfigured, or lies.
  if (origin !== location.origin || issuer !== origin) return { status: "wrong_address", origin };
  const site = { issuer, rp_id, origin };
  if (!approver) return { status: "signed_out", site, invited };
  const device = await loadDevice(approver.approver);
  return { status: "signed_in", site, approver: approver.approver, name: approver.name, device };
}
