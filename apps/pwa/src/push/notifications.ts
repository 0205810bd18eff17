import { pushTag, ridOfPushTag } from "@countersign/shared";
import { CallError } from "../api/call.js";
import { listRequests } from "../api/endpoints.js";
import { settleAlert } from "./endpoints.js";

/** Closes the notifications of requests that `over` holds for. */
async function close(over: (rid: string) => boolean): Promise<void> {
  if (!("serviceWorker" in navigator)) return;
  const registration = await navigator.serviceWorker.getRegistration();
  for (const notification of (await registration?.getNotifications?.()) ?? []) {
    const rid = ridOfPushTag(notification.tag);
    if (rid !== undefined && over(rid)) notification.close();
  }
}

/** The person is looking at this request here: nothing needs to point to it, nor to tell its end. */
export async function noteOpened(rid: string): Promise<void> {
  await close((shown) => pushTag(shown) === pushTag(rid));
  await settleAlert(rid).catch(ignoreCallError);
}

/** Closes what was answered elsewhere or ran out, and lets the app's icon count what waits. */
export async function tidy(): Promise<void> {
  const { requests } = await listRequests("inbox");
  const waiting = new Set(requests.map(({ rid }) => rid));
  await close((rid) => !waiting.has(rid));
  await badge(waiting.size);
}

/** Nobody is signed in: what was shown was theirs. */
export async function clear(): Promise<void> {
  await close(() => true);
  await badge(0);
}

/** Only an installed app has an icon to put a number on. */
async function badge(count: number): Promise<void> {
  if (!window.matchMedia("(display-mode: standalone)").matches) return;
  if (count > 0) await navigator.setAppBadge?.(count);
  else await navigator.clearAppBadge?.();
}

/** A hint that did not get through costs nothing: the next one is as good. */
export function ignoreCallError(error: unknown): void {
  if (!(error instanceof CallError)) throw error;
}
