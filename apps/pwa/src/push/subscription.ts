import { fromBase64url, parse, pushSubscription, toBase64url } from "@countersign/shared";
import { deleteSubscription, getPush, postSubscription } from "./endpoints.js";

/** Where there is no push service, `subscribe` may never answer. In ms. */
const subscribeTimeoutMs = 15_000;

/** Why this browser cannot be alerted, or that it can. */
export type Support = "possible" | "blocked" | "not_installed" | "unsupported";

export function pushSupport(): Support {
  const possible = "serviceWorker" in navigator && "PushManager" in window;
  // iOS has web push for apps on the Home Screen only, and says so by this member of its own.
  const inBrowserOfIos = "standalone" in navigator && navigator.standalone === false;
  if (!possible || !("Notification" in window)) {
    return inBrowserOfIos ? "not_installed" : "unsupported";
  }
  return Notification.permission === "denied" ? "blocked" : "possible";
}

export type Subscribed = "subscribed" | "blocked" | "no_push_service";

/**
 * Asks for permission, subscribes and tells the server. Call it straight in a tap's handler: browsers ask the
 * person for nothing else.
 * @throws CallError when the server cannot be reached or refuses
 */
export async function turnOn(deviceKid: string | undefined): Promise<Subscribed> {
  if ((await Notification.requestPermission()) !== "granted") return "blocked";
  const { application_server_key } = await getPush();
  const subscription = await subscribe(application_server_key);
  if (!subscription) return "no_push_service";
  await report(subscription, deviceKid);
  return "subscribed";
}

/** @throws CallError */
export async function turnOff(): Promise<void> {
  // The server first: a browser that is offline stays subscribed and shows it.
  await deleteSubscription();
  await (await current())?.unsubscribe();
}

/**
 * Makes browser and server agree again, at every open of the app: either may have dropped or renewed the
 * subscription meanwhile. Asks the person for nothing.
 * @throws CallError
 */
export async function resync(deviceKid: string | undefined): Promise<void> {
  if (pushSupport() !== "possible" || Notification.permission !== "granted") return;
  const { application_server_key, subscription: known } = await getPush();
  let subscription = await current();
  if (subscription && keyOf(subscription) !== application_server_key) {
    await subscription.unsubscribe();
    subscription = await subscribe(application_server_key);
  } else if (!subscription && known) {
    subscription = await subscribe(application_server_key);
  }
  if (subscription) await report(subscription, deviceKid);
}

async function current(): Promise<PushSubscription | null> {
  const registration = await navigator.serviceWorker.getRegistration();
  return (await registration?.pushManager.getSubscription()) ?? null;
}

/** @returns null where there is no push service, or it does not answer */
async function subscribe(key: string): Promise<PushSubscription | null> {
  const { pushManager } = await navigator.serviceWorker.ready;
  const timeout = new Promise<null>((resolve) =>
    setTimeout(() => resolve(null), subscribeTimeoutMs),
  );
  const options = { userVisibleOnly: true, applicationServerKey: fromBase64url(key) };
  return Promise.race([pushManager.subscribe(options).catch(() => null), timeout]);
}

const keyOf = ({ options }: PushSubscription): string | null =>
  options.applicationServerKey && toBase64url(new Uint8Array(options.applicationServerKey));

function report(subscription: PushSubscription, deviceKid: string | undefined): Promise<void> {
  const { endpoint, keys } = subscription.toJSON();
  const device = deviceKid === undefined ? {} : { device_kid: deviceKid };
  return postSubscription(parse(pushSubscription, { endpoint, keys, ...device }));
}
