import { type PushMessage, pushMessage, pushReceipt, ridOfPushTag } from "@countersign/shared";
import * as z from "zod/mini";

declare const self: ServiceWorkerGlobalScope;

/** A browser that knows declarative push hands over the notification that it would show by itself. */
interface DeclarativePushEvent extends PushEvent {
  readonly notification?: Notification;
}

type Shown = PushMessage["notification"];

/** iOS takes the subscription away after three pushes without a notification: something is always shown. */
const unreadable: Shown = {
  title: "Countersign",
  body: "Open the app to see what waits for you.",
  navigate: new URL("/", self.location.origin).href,
  tag: "unreadable",
  lang: "en",
  silent: false,
};

/** A page that was asleep needs a moment; one that does not answer is loaded anew. */
const pageAnswersMs = 500;

/** Push, tap and renewal. None of them decides anything: a tap only opens the request. */
export function handlePushes(): void {
  self.addEventListener("push", (event) => event.waitUntil(show(event)));
  self.addEventListener("notificationclick", (event) => {
    event.notification.close();
    event.waitUntil(open(event.notification));
  });
  self.addEventListener("pushsubscriptionchange", (event) => event.waitUntil(renew(event)));
}

async function show(event: DeclarativePushEvent): Promise<void> {
  const { title, navigate, data, ...options } = read(event);
  await self.registration.showNotification(title, {
    ...options,
    icon: "/icon-192.png",
    data: { navigate },
  });
  if (data) await post("/app/push/receipts", { token: data.receipt });
  await countBadge();
}

function read(event: DeclarativePushEvent): Shown {
  try {
    return z.parse(pushMessage, event.data?.json()).notification;
  } catch {
    return readProposed(event.notification) ?? unreadable;
  }
}

function readProposed(proposed: Notification | undefined): Shown | undefined {
  if (!proposed) return undefined;
  const { title, body, tag, data } = proposed;
  const receipt = z.safeParse(z.object({ receipt: pushReceipt.shape.token }), data);
  return {
    ...unreadable,
    ...{ title, body, tag },
    ...(receipt.success ? { data: receipt.data } : {}),
  };
}

/** Focuses the app where it is open and lets it go to the request; opens it where it is not. */
async function open({ data }: Notification): Promise<void> {
  const { origin } = self.location;
  const url = new URL(String(data?.navigate ?? "/"), origin);
  const path = url.origin === origin ? url.pathname : "/";
  const pages = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const page = pages.find(({ focused }) => focused) ?? pages[0];
  if (!page) {
    await self.clients.openWindow(path);
    return;
  }
  // A browser may refuse the focus and still open a window.
  const focused = await page.focus().catch(() => page);
  if (!(await goesThere(focused, path))) {
    await focused.navigate(path).catch(() => self.clients.openWindow(path));
  }
}

/** The page goes there itself, without loading anew, if it answers. */
function goesThere(page: WindowClient, path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => resolve(true);
    setTimeout(() => resolve(false), pageAnswersMs);
    page.postMessage({ type: "navigate", path }, [port2]);
  });
}

interface SubscriptionChange extends Event {
  readonly oldSubscription?: PushSubscription | null;
  readonly newSubscription?: PushSubscription | null;
}

/** The browser gave the subscription up: have a new one before the next request comes. */
async function renew({ oldSubscription, newSubscription }: SubscriptionChange): Promise<void> {
  const key = oldSubscription?.options.applicationServerKey;
  const renewed =
    newSubscription ??
    (key &&
      (await self.registration.pushManager.subscribe({
        userVisibleOnly: true,
        applicationServerKey: key,
      })));
  if (!renewed) return;
  const { endpoint, keys } = renewed.toJSON();
  await post("/app/push/subscription", { endpoint, keys });
}

/** As many as are asked on this device; the app corrects it when it opens. */
async function countBadge(): Promise<void> {
  const shown = await self.registration.getNotifications();
  const asking = shown.filter(({ tag }) => ridOfPushTag(tag) !== undefined).length;
  if (asking > 0) await self.navigator.setAppBadge?.(asking);
}

/** Without a network the app makes up for it at its next start. */
async function post(path: string, body: object): Promise<void> {
  await fetch(path, {
    method: "POST",
    credentials: "same-origin",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  }).catch(() => undefined);
}
