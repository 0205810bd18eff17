import { launchChromium } from "@countersign/test-kit/chromium";
import {
  type PushService,
  startPushService,
  type TestSubscription,
} from "@countersign/test-kit/push-service";
import { createSoftAgent, type SoftAgent } from "@countersign/test-kit/soft-agent";
import type { Browser, CDPSession, Page, Worker } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startTestBroker, type TestBroker } from "../apps/broker/src/testing/harness.js";
import { type AutoPhone, startAutoPhone } from "../examples/desk-agent/src/auto-phone.js";

// The joined chain: a request -> the outbox -> real web push bytes over TLS -> decrypted as a browser does -> the
// real service worker -> a tap -> the review screen. Stubbed is only what this browser lacks: a push service of its
// own, and the permission to show notifications.

let service: PushService;
let broker: TestBroker;
let browser: Browser;
let phone: AutoPhone;
let page: Page;
let cdp: CDPSession;
let worker: Worker;
let agent: SoftAgent;
let subscription: TestSubscription;

interface Shown {
  title: string;
  options: NotificationOptions & { data?: { navigate?: string } };
}

/** In the page: the subscription that a push service would have given, and permission once somebody tapped. */
function stubPush(json: TestSubscription["json"]): void {
  const held = (): typeof json =>
    JSON.parse(localStorage.getItem("subscription") ?? "null") ?? json;
  const make = (applicationServerKey: unknown) => ({
    options: { applicationServerKey },
    toJSON: held,
    unsubscribe: async () => {
      localStorage.removeItem("key");
      return true;
    },
  });
  Object.assign(PushManager.prototype, {
    subscribe: async ({ applicationServerKey }: PushSubscriptionOptionsInit) => {
      localStorage.setItem("key", JSON.stringify([...(applicationServerKey as Uint8Array)]));
      return make((applicationServerKey as Uint8Array).buffer);
    },
    getSubscription: async () => {
      const key = localStorage.getItem("key");
      return key === null ? null : make(Uint8Array.from(JSON.parse(key)).buffer);
    },
  });
  Object.defineProperty(Notification, "permission", {
    get: () => localStorage.getItem("permission") ?? "default",
  });
  Notification.requestPermission = async () => {
    localStorage.setItem("permission", "granted");
    return "granted";
  };
  Object.assign(ServiceWorkerRegistration.prototype, {
    getNotifications: async () =>
      JSON.parse(localStorage.getItem("notifications") ?? "[]").map((tag: string) => ({
        tag,
        close: () => localStorage.setItem("closed", tag),
      })),
  });
  // As an installed app, whose icon has a badge.
  const matchMedia = window.matchMedia.bind(window);
  window.matchMedia = (query) =>
    matchMedia(query === "(display-mode: standalone)" ? "(width >= 0)" : query);
  Object.assign(navigator, {
    setAppBadge: async (count: number) => localStorage.setItem("badge", String(count)),
    clearAppBadge: async () => localStorage.removeItem("badge"),
  });
}

/** What the tests use of a service worker's global scope. */
interface WorkerScope {
  registration: ServiceWorkerRegistration;
  ExtendableEvent: typeof Event;
  shown: Shown[];
}

/** In the service worker: what it shows is kept. */
function stubNotifications(): void {
  const scope = self as unknown as WorkerScope;
  scope.shown = [];
  Object.assign(scope.registration, {
    showNotification: async (title: string, options: NotificationOptions) => {
      scope.shown.push({ title, options });
    },
    getNotifications: async () => scope.shown.map(({ options }) => options),
  });
  // This browser ends the process of whoever sets a badge.
  Object.assign(navigator, { setAppBadge: async () => undefined });
}

const shown = (): Promise<Shown[]> => worker.evaluate(() => (self as unknown as WorkerScope).shown);

/** A tap on the last notification. */
const tap = (): Promise<boolean> =>
  worker.evaluate(() => {
    const { shown, ExtendableEvent } = self as unknown as WorkerScope;
    const event = new ExtendableEvent("notificationclick");
    const notification = { ...shown.at(-1)?.options, close: () => {} };
    Object.defineProperty(event, "notification", { value: notification });
    return self.dispatchEvent(event);
  });

let registrationId = "";

async function deliver(data: string): Promise<void> {
  await expect.poll(() => registrationId).not.toBe("");
  await cdp.send("ServiceWorker.deliverPushMessage", {
    ...{ origin: broker.site.origin, registrationId, data },
  });
}

const got = (count: number): Promise<void> =>
  expect.poll(() => subscription.received.length).toBe(count);

const stored = (name: string) => page.evaluate((key) => localStorage.getItem(key), name);

beforeAll(async () => {
  service = await startPushService();
  broker = await startTestBroker({ pushHosts: service.host, egress: service.agent });
  browser = await launchChromium();
  subscription = service.newSubscription();
  phone = await startAutoPhone(browser, broker.site.origin);
  page = phone.page;
  await page.addInitScript(stubPush, subscription.json);
  cdp = await page.context().newCDPSession(page);
  cdp.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => {
    registrationId = registrations.find(({ isDeleted }) => !isDeleted)?.registrationId ?? "";
  });
  await cdp.send("ServiceWorker.enable");

  await phone.enrol(broker.firstInvitation ?? "");
  agent = await createSoftAgent({ origin: broker.site.origin });
  await agent.pairWith({
    acceptPairing: async (link) => {
      const digits = phone.pair(link);
      return { pairingId: "", digits: () => digits };
    },
  });
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  worker =
    page.context().serviceWorkers()[0] ?? (await page.context().waitForEvent("serviceworker"));
  await worker.evaluate(stubNotifications);
});
afterAll(async () => {
  await browser.close();
  await broker.drop();
  await service.close();
});

it("alerts are turned on by a tap, and never by themselves", async () => {
  await page.goto("/you");
  expect(await stored("permission")).toBeNull();
  await page.getByRole("button", { name: "Turn on alerts" }).click();
  await page.getByText("On for this device").waitFor();
});

it("a request reaches a phone that is not looking, and a tap opens it without loading the app anew", async () => {
  await page.evaluate(() => {
    Object.assign(window, { sameDocument: true });
  });
  const request = await agent.request();
  await got(1);
  await deliver(subscription.received[0]?.text ?? "");
  await expect.poll(async () => (await shown()).length).toBe(1);
  const [notification] = await shown();
  expect(notification?.title).toBe("soft agent asks for your approval");
  expect(notification?.options).toMatchObject({
    tag: `request:${request.rid}`,
    body: "Open it to look. 2 min left.",
  });
  expect(notification?.options).not.toHaveProperty("actions");

  await tap();
  await page.waitForURL(`**/requests/${request.rid}`);
  // Shown, or among the three to pick from: either way this request was opened and verified.
  await page.getByText(request.matchCode).first().waitFor();
  expect(await page.evaluate(() => "sameDocument" in window)).toBe(true);

  // Being opened here, its end is not pushed here.
  await agent.call("POST", `/v1/requests/${request.rid}/cancel`, {});
  await new Promise((resolve) => setTimeout(resolve, 1500));
  expect(subscription.received).toHaveLength(1);
});

it("what it says on the notification never leads away from the app", async () => {
  const { web_push, notification } = subscription.received[0]?.message ?? {};
  for (const navigate of ["https://evil.example/x", "javascript:alert(1)"]) {
    await deliver(JSON.stringify({ web_push, notification: { ...notification, navigate } }));
    await expect.poll(async () => (await shown()).at(-1)?.options.data?.navigate).toBe(navigate);
    await tap();
    await page.waitForURL(`${broker.site.origin}/**`);
  }
});

it.each(["", "nonsense", '{"web_push":8030}', '{"web_push":1,"notification":{"title":"x"}}'])(
  "something is shown whatever arrives: %j",
  async (data) => {
    const before = (await shown()).length;
    await deliver(data);
    await expect.poll(async () => (await shown()).length).toBe(before + 1);
    expect((await shown()).at(-1)?.title).toBe("Countersign");
  },
);

it("a test alert is confirmed by the service worker, and the app says when it came", async () => {
  await page.goto("/you");
  const before = subscription.received.length;
  await page.getByRole("button", { name: "Send a test alert" }).click();
  await got(before + 1);
  await deliver(subscription.received.at(-1)?.text ?? "");
  await page
    .getByTestId("test-alert")
    .getByText(/arrived after [\d.]+ s/)
    .waitFor();
});

it("a subscription that the browser has changed is told to the server at the next open", async () => {
  const renewed = service.newSubscription();
  await page.evaluate((json) => {
    localStorage.setItem("subscription", JSON.stringify(json));
  }, renewed.json);
  const told = page.waitForResponse("**/app/push/subscription");
  await page.goto("/");
  expect((await told).status()).toBe(204);
  const request = await agent.request();
  await expect.poll(() => renewed.received.length).toBe(1);
  await agent.call("POST", `/v1/requests/${request.rid}/cancel`, {});
});

it("a notification of a request that is over closes, and the badge counts what waits", async () => {
  await page.goto("/");
  await page.evaluate(() =>
    localStorage.setItem("notifications", JSON.stringify(["request:AAAAAAAAAAAAAAAAAAAAAA"])),
  );
  const request = await agent.request();
  await page.getByTestId("inbox-item").first().waitFor();
  await expect.poll(() => stored("closed")).toBe("request:AAAAAAAAAAAAAAAAAAAAAA");
  await expect.poll(() => stored("badge")).toBe("1");
  await agent.call("POST", `/v1/requests/${request.rid}/cancel`, {});
  await expect.poll(() => stored("badge")).toBeNull();
});

it("turning alerts off ends them at the server and in the browser", async () => {
  await page.goto("/you");
  await page.getByRole("button", { name: "Turn off alerts" }).click();
  await page.getByRole("button", { name: "Turn on alerts" }).waitFor();
  expect(await stored("key")).toBeNull();
});
