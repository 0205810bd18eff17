import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import {
  type PushService,
  startPushService,
  type TestSubscription,
} from "@countersign/test-kit/push-service";
import { decodeJwt, decodeProtectedHeader, importJWK, jwtVerify } from "jose";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { PushTarget, WebPush } from "../domain/ports.js";
import { knownPushHosts } from "../domain/push-endpoint.js";
import { askingPush } from "../domain/push-message.js";
import { createWebPush, makeVapidKeys } from "./web-push.js";

const keys = makeVapidKeys();
const subject = "mailto:operator@example.org";
const never = new AbortController().signal;
const push = askingPush({
  origin: "https://approve.example.org",
  rid: "AAAAAAAAAAAAAAAAAAAAAA",
  agentName: "desk agent",
  secondsLeft: 120,
});

let service: PushService;
let webPush: WebPush;
let browser: TestSubscription;

const targetOf = ({ json }: TestSubscription): PushTarget => ({
  endpoint: json.endpoint,
  ...json.keys,
});

const createPatient = (timeoutMilliseconds: number): WebPush =>
  createWebPush({
    vapid: { ...keys, subject },
    hosts: [...knownPushHosts, service.host],
    agent: service.agent,
    timeoutMilliseconds,
  });

beforeAll(async () => {
  service = await startPushService();
  webPush = createPatient(10_000);
});
afterAll(() => service.close());
beforeEach(() => {
  browser = service.newSubscription();
});

const send = () => webPush.send(targetOf(browser), push, never);

it("encrypts for the browser, and the push service sees how long and how urgent, and no more", async () => {
  expect(await send()).toEqual({ outcome: "accepted" });
  const [received] = browser.received;
  expect(received?.message).toEqual(push.message);
  expect(received?.headers).toMatchObject({
    ttl: "120",
    urgency: "high",
    topic: push.topic,
    "content-encoding": "aes128gcm",
  });
  expect(push.topic).toMatch(/^[A-Za-z0-9_-]{1,32}$/);
  const seen = `${JSON.stringify(received?.headers)}${received?.body.toString("latin1")}`;
  expect(seen).not.toContain("AAAAAAAAAAAAAAAAAAAAAA");
  expect(seen).not.toContain("desk agent");
});

it("signs as RFC 8292 asks, for this push service and for a day at most", async () => {
  await send();
  const [, token = "", key = ""] =
    /^vapid t=([^,]+), k=(.+)$/.exec(browser.received[0]?.headers.authorization ?? "") ?? [];
  expect(key).toBe(webPush.applicationServerKey);
  const raw = Buffer.from(key, "base64url");
  const jwk = {
    ...{ kty: "EC", crv: "P-256" },
    x: raw.subarray(1, 33).toString("base64url"),
    y: raw.subarray(33).toString("base64url"),
  };
  await jwtVerify(token, await importJWK(jwk, "ES256"), { audience: `https://${service.host}` });
  const { sub, exp = 0 } = decodeJwt(token);
  expect(sub).toBe(subject);
  expect(exp - Date.now() / 1000).toBeLessThanOrEqual(86_400);
  expect(decodeProtectedHeader(token).alg).toBe("ES256");
});

describe("a push service's answer", () => {
  it.each([
    [200, {}, { outcome: "accepted" }],
    [201, {}, { outcome: "accepted" }],
    [400, {}, { outcome: "refused" }],
    [403, {}, { outcome: "refused" }],
    [404, {}, { outcome: "gone" }],
    [410, {}, { outcome: "gone" }],
    [413, {}, { outcome: "refused" }],
    [429, { "retry-after": "17" }, { outcome: "busy", retryAfterSeconds: 17 }],
    [429, { "retry-after": "-1" }, { outcome: "busy" }],
    [429, {}, { outcome: "busy" }],
    [500, {}, { outcome: "busy" }],
    [503, { "retry-after": "2" }, { outcome: "busy", retryAfterSeconds: 2 }],
  ] as const)("%i %j means %j", async (status, headers, outcome) => {
    browser.answers.push({ status, headers });
    expect(await send()).toMatchObject(outcome);
  });

  it("may name a time to come back at", async () => {
    const at = new Date(Date.now() + 300_000).toUTCString();
    browser.answers.push({ status: 503, headers: { "retry-after": at } });
    const { outcome, retryAfterSeconds = 0 } = await send();
    expect(outcome).toBe("busy");
    expect(retryAfterSeconds).toBeGreaterThan(270);
    expect(retryAfterSeconds).toBeLessThanOrEqual(300);
  });

  it("is not waited for beyond the time-out", async () => {
    browser.answers.push("hangs");
    expect(await createPatient(300).send(targetOf(browser), push, never)).toEqual({
      outcome: "unreachable",
    });
  });

  it("is not waited for after the broker stops", async () => {
    const stop = new AbortController();
    browser.answers.push("hangs");
    const sending = webPush.send(targetOf(browser), push, stop.signal);
    stop.abort();
    expect(await sending).toEqual({ outcome: "unreachable" });
  });

  it("that never ends is cut off", async () => {
    browser.answers.push("never stops talking");
    expect(await send()).toEqual({ outcome: "accepted" });
    expect(await send()).toEqual({ outcome: "accepted" });
  });

  it("that breaks off is no answer", async () => {
    browser.answers.push("hangs up");
    expect(await send()).toEqual({ outcome: "unreachable" });
  });

  describe("that leads elsewhere", () => {
    let elsewhere: Server;
    let calls = 0;
    beforeAll(async () => {
      elsewhere = createServer((_request, response) => {
        calls++;
        response.writeHead(201).end();
      });
      await new Promise<void>((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
    });
    afterAll(() => void elsewhere.close());

    it.each([301, 302, 303, 307, 308])("is not followed: %i", async (status) => {
      const { port } = elsewhere.address() as AddressInfo;
      const other = service.newSubscription();
      for (const location of [`http://127.0.0.1:${port}/`, other.json.endpoint]) {
        browser.answers.push({ status, headers: { location } });
        expect(await send()).toEqual({ outcome: "refused" });
      }
      expect([calls, other.received.length]).toEqual([0, 0]);
    });
  });
});

describe("an endpoint", () => {
  it.each([
    "https://fcm.googleapis.com/fcm/send/abc",
    "https://updates.push.services.mozilla.com/wpush/v2/abc",
    "https://web.push.apple.com/abc",
    "https://wns2-par02p.notify.windows.com/w/?token=abc",
  ])("of a known push service is taken: %s", (endpoint) =>
    expect(webPush.readEndpoint(endpoint)).toBe(endpoint),
  );

  it.each([
    ...["", "nonsense", "http://fcm.googleapis.com/x", "ftp://fcm.googleapis.com/x"],
    ...["https://fcm.googleapis.com:8443/x", "https://fcm.googleapis.com:22/x"],
    ...["https://user@fcm.googleapis.com/x", "https://u:p@fcm.googleapis.com/x"],
    ...["https://fcm.googleapis.com.evil.example/x", "https://evilfcm.googleapis.com/x"],
    ...["https://fcm.googleapis.com@evil.example/x", "https://evil.example#fcm.googleapis.com"],
    ...["https://fcm.googleapis.com\\@evil.example/x#", "https://push.apple.com/x"],
    ...["https://evilpush.apple.com/x", "https://x.push.apple.com.evil.example/"],
    ...["https://fcm.googleapis.com./x", "https://localhost/x", "https://127.0.0.1/x"],
    ...["https://2130706433/x", "https://017700000001/x", "https://0x7f.1/x", "https://[::1]/x"],
    ...["https://169.254.169.254/latest", "https://[::ffff:a9fe:a9fe]/", "https://10.0.0.1/"],
    // Names a host that is on the list, but in a spelling that another parser may read differently.
    ...[
      "https://FCM.googleapis.com/x",
      "https://fcm.googleapis.com:443/x",
      "https:fcm.googleapis.com/x",
    ],
    ...["https://fcm.googleapis.com\\@evil.example/x", " https://fcm.googleapis.com/x"],
    ...["https://fcm.googleapis.com/a/../x", "https://fcm.goo\tgleapis.com/x"],
    ...["https://metadata.google.internal/", "javascript:alert(1)", "//fcm.googleapis.com/x"],
  ])("elsewhere is not: %j", async (endpoint) => {
    expect(webPush.readEndpoint(endpoint)).toBeUndefined();
    // One that a shorter list leaves out later is not called either.
    const before = service.connections();
    expect(await webPush.send({ ...targetOf(browser), endpoint }, push, never)).toEqual({
      outcome: "blocked",
    });
    expect(service.connections()).toBe(before);
  });
});
