import type { TestSubscription } from "@countersign/test-kit/push-service";
import type { SoftAgent } from "@countersign/test-kit/soft-agent";
import type { SoftPhone } from "@countersign/test-kit/soft-phone";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { refusalOf, type Sql } from "./testing/attack.js";
import { enrolledPhone } from "./testing/harness.js";
import { got, type PushWorld, quiet, startPushWorld, subscribe } from "./testing/push-world.js";

let world: PushWorld;
let sql: Sql;
let phone: SoftPhone;
let agent: SoftAgent;
let browser: TestSubscription;

beforeAll(async () => {
  world = await startPushWorld();
  ({ sql, phone, agent } = world);
});
afterAll(() => world.close());
beforeEach(async () => {
  browser = await world.reset();
});

describe("a subscription", () => {
  it.each([
    "http://push.test/x",
    "https://push.test/x",
    "https://localhost/x",
    "https://127.0.0.1/x",
    "https://2130706433/x",
    "https://[::ffff:127.0.0.1]/x",
    "https://169.254.169.254/latest/meta-data",
    "https://evil.example/fcm.googleapis.com",
    "file:///etc/passwd",
  ])("is refused at %s", async (endpoint) => {
    const { keys } = browser.json;
    expect(await refusalOf(subscribe(phone, { endpoint, keys }))).toBe("push_endpoint_refused");
  });

  it("is refused with a key that is no point of the curve", async () => {
    const { endpoint, keys } = world.service.newSubscription().json;
    const p256dh = Buffer.concat([Buffer.of(4), Buffer.alloc(64, 7)]).toString("base64url");
    expect(await refusalOf(subscribe(phone, { endpoint, keys: { ...keys, p256dh } }))).toBe(
      "invalid_request",
    );
  });

  it("needs a session, and the app's own origin", async () => {
    const { json } = world.service.newSubscription();
    const url = `${world.broker.site.origin}/app/push/subscription`;
    const headers = { "content-type": "application/json", origin: world.broker.site.origin };
    const body = JSON.stringify(json);
    expect(await refusalOf(fetch(url, { method: "POST", headers, body }))).toBe("unauthenticated");
    const foreign = phone.call("POST", "/app/push/subscription", json, {
      origin: "https://evil.example",
    });
    expect(await refusalOf(foreign)).toBe("cross_site");
  });

  it("is the session's only one: a new endpoint replaces the old", async () => {
    const renewed = await world.subscribed(phone);
    await agent.request();
    await got(renewed, 1);
    expect(browser.received).toHaveLength(0);
  });

  it("goes with its browser to whoever signed in there last", async () => {
    const dora = await enrolledPhone(world.broker, "Dora", phone);
    expect((await subscribe(dora, browser.json)).status).toBe(204);
    await agent.request();
    await quiet();
    expect(browser.received).toHaveLength(0);
    expect(await (await phone.call("GET", "/app/push")).json()).not.toHaveProperty("subscription");
  });

  it("ends with the session", async () => {
    const erin = await enrolledPhone(world.broker, "Erin", phone);
    await agent.pairWith(erin);
    const hers = await world.subscribed(erin);
    expect((await erin.call("DELETE", "/app/session")).status).toBe(204);
    expect(
      await sql`select 1 from push_subscription where endpoint = ${hers.json.endpoint}`,
    ).toEqual([]);
    await agent.request({ approvers: [erin.approver()] });
    await quiet();
    expect(hers.received).toHaveLength(0);
    agent.devices.delete(erin.approver());
  });

  it("of a session that ran out gets nothing", async () => {
    await sql`update session set expires_at = now() where approver = ${phone.approver()}`;
    await agent.request();
    await quiet();
    expect(browser.received).toHaveLength(0);
    await sql`update session set expires_at = now() + interval '1 day' where approver = ${phone.approver()}`;
  });

  it("of a revoked device gets nothing, and cannot be renewed", async () => {
    const body = { ...browser.json, device_kid: phone.device.kid };
    expect((await subscribe(phone, body)).status).toBe(204);
    await sql`update device set revoked_at = now() where kid = ${phone.device.kid}`;
    await agent.request();
    await quiet();
    expect(browser.received).toHaveLength(0);
    expect((await subscribe(phone, body)).ok).toBe(false);
    await sql`update device set revoked_at = null where kid = ${phone.device.kid}`;
  });
});

describe("a test push", () => {
  it("goes to this session's browser alone, and its receipt counts once", async () => {
    const again = await enrolledPhone(world.broker, "Finn", phone);
    const other = await world.subscribed(again);
    expect(await (await phone.call("POST", "/app/push/test", {})).json()).toEqual({
      outcome: "accepted",
    });
    await got(browser, 1);
    expect(other.received).toHaveLength(0);
    const state = async () => (await phone.call("GET", "/app/push")).json();
    expect(await state()).toMatchObject({
      subscription: { test: { sent_at: expect.any(Number) } },
    });
    expect(await state()).not.toHaveProperty("subscription.test.arrived_after_seconds");

    const { mutable, notification } = browser.received[0]?.message ?? {};
    expect(mutable).toBe(true);
    const receipt = { token: notification?.data?.receipt };
    // Whoever has the token may confirm: the service worker's session may be over.
    const send = () => again.call("POST", "/app/push/receipts", receipt);
    expect((await send()).status).toBe(204);
    expect(await refusalOf(send())).toBe("not_found");
    expect(await state()).toMatchObject({
      subscription: { test: { arrived_after_seconds: expect.any(Number) } },
    });
  });

  it("tells of a subscription that the push service has ended", async () => {
    browser.answers.push({ status: 410 });
    expect(await (await phone.call("POST", "/app/push/test", {})).json()).toEqual({
      outcome: "gone",
    });
    expect(await refusalOf(phone.call("POST", "/app/push/test", {}))).toBe("not_found");
  });
});
