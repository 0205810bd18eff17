import type { TestSubscription } from "@countersign/test-kit/push-service";
import type { SoftAgent, SoftRequest } from "@countersign/test-kit/soft-agent";
import type { SoftPhone } from "@countersign/test-kit/soft-phone";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { connect } from "./db/client.js";
import { deleteEndedSubscription } from "./db/pushes.js";
import { delaySeconds } from "./push.js";
import type { Sql } from "./testing/attack.js";
import { readEvents } from "./testing/event-reader.js";
import { enrolledPhone } from "./testing/harness.js";
import { got, type PushWorld, quiet, startPushWorld } from "./testing/push-world.js";

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

const outbox = (request: SoftRequest) => sql<{ stage: string; attempts: number; wait: number }[]>`
  select stage, attempts, extract(epoch from due_at - now())::float8 as wait
  from push_outbox where rid = ${request.rid}`;

const stageOf = (request: SoftRequest, stage: string): Promise<void> =>
  expect.poll(async () => (await outbox(request))[0]?.stage).toBe(stage);

/** It has been tried, and the answer is written down: nothing of it is sent before it is made due. */
const putOff = (request: SoftRequest): Promise<void> =>
  expect.poll(async () => (await outbox(request))[0]?.wait ?? 0).toBeGreaterThan(35);

const laterAnswer = { status: 503, headers: { "retry-after": "45" } };

const makeDue = () => sql`update push_outbox set due_at = now()`;

const cancel = (request: SoftRequest) =>
  agent.call("POST", `/v1/requests/${request.rid}/cancel`, {});

describe("an alert", () => {
  it("says which request, which agent and how long, and nothing else", async () => {
    const request = await agent.request({ args: { path: "/home/ada/secret-plans" } });
    await got(browser, 1);
    const [push] = browser.received;
    const { ttl } = push?.headers ?? {};
    expect(Number(ttl)).toBeGreaterThan(100);
    expect(Number(ttl)).toBeLessThanOrEqual(120);
    expect(push?.headers["urgency"]).toBe("high");
    expect(JSON.parse(push?.text ?? "")).toEqual({
      web_push: 8030,
      notification: {
        title: "soft agent asks for your approval",
        body: "Open it to look. 2 min left.",
        navigate: `${world.broker.site.origin}/requests/${request.rid}`,
        tag: `request:${request.rid}`,
        lang: "en",
        silent: false,
      },
    });
  });

  it("goes to each device of each approver of the request, and to nobody else", async () => {
    const bob = await enrolledPhone(world.broker, "Bob", phone);
    const bobsBrowser = await world.subscribed(bob);
    await agent.request();
    await got(browser, 1);
    await quiet();
    expect(bobsBrowser.received).toHaveLength(0);
    await agent.pairWith(bob);
    await agent.request({ approvers: [phone.approver(), bob.approver()], quorum: 2 });
    await got(bobsBrowser, 1);
    await got(browser, 2);
    agent.devices.delete(bob.approver());
  });

  it("makes an agent's name safe to read", async () => {
    await sql`update agent set name = ${"evil\u202Egnp.\u200B"} where client_id = ${agent.clientId}`;
    await agent.request();
    await got(browser, 1);
    const title = browser.received[0]?.message.notification.title ?? "";
    expect(title).toContain("evil⟦U+202E⟧gnp.⟦U+200B⟧");
    await sql`update agent set name = 'soft agent' where client_id = ${agent.clientId}`;
  });

  it("stands in the outbox as soon as the request stands, and not without it", async () => {
    browser.answers.push("hangs");
    const request = await agent.request();
    expect(await outbox(request)).toHaveLength(1);
    const [{ count } = { count: -1 }] = await sql<{ count: number }[]>`
      select count(*)::int as count from push_outbox o
      where not exists (select 1 from authorization_request r where r.rid = o.rid)`;
    expect(count).toBe(0);
    const refused = await agent.prepare();
    expect((await agent.authorize(refused)).status).toBe(400);
    expect(await outbox(refused)).toHaveLength(0);
  });

  it("leaves no endpoint, key, payload or token in the log", async () => {
    browser.answers.push({ status: 500 }, "hangs up");
    await agent.request();
    await got(browser, 3);
    await phone.call("POST", "/app/push/test", {});
    const gone = await world.subscribed(phone);
    gone.answers.push({ status: 410 });
    await phone.call("POST", "/app/push/test", {});
    const text = world.logged.join("\n");
    for (const secret of [browser, gone].flatMap(({ json, received }) => [
      json.endpoint,
      new URL(json.endpoint).pathname,
      json.keys.auth,
      json.keys.p256dh,
      ...received.map(({ message }) => message.notification.title),
      ...received.flatMap(({ message }) => message.notification.data?.receipt ?? []),
    ])) {
      expect(text).not.toContain(secret);
    }
    expect(text).toContain("push tried");
  });
});

describe("a push service that", () => {
  it.each([404, 410])("answers %i ends the subscription", async (status) => {
    browser.answers.push({ status });
    await agent.request();
    await got(browser, 1);
    await expect
      .poll(async () => (await phone.call("GET", "/app/push")).json())
      .not.toHaveProperty("subscription");
    await agent.request();
    await quiet();
    expect(browser.received).toHaveLength(1);
  });

  it("ends a subscription that the browser has renewed meanwhile ends nothing", async () => {
    browser.answers.push("hangs");
    const request = await agent.request();
    await got(browser, 1);
    const renewed = await world.subscribed(phone);
    // The late word about the old endpoint, from the statement that it would come by.
    const connection = connect(world.broker.databaseUrl);
    const [row] = await sql<{ id: string }[]>`select id from push_subscription`;
    await deleteEndedSubscription(connection.db, {
      subscriptionId: row?.id ?? "",
      endpoint: browser.json.endpoint,
    });
    await connection.close();
    await makeDue();
    await got(renewed, 1);
    expect(renewed.received[0]?.message.notification.tag).toContain(request.rid);
  });

  it("fails is tried again until it succeeds", async () => {
    browser.answers.push({ status: 500 }, "hangs up", { status: 503 });
    const request = await agent.request();
    for (const count of [1, 2, 3, 4]) {
      await got(browser, count);
      await makeDue();
    }
    await stageOf(request, "asked");
    const topics = new Set(browser.received.map(({ headers }) => headers["topic"]));
    expect(topics.size).toBe(1);
  });

  it("asks for time gets it", async () => {
    browser.answers.push({ status: 429, headers: { "retry-after": "45" } });
    const request = await agent.request();
    await putOff(request);
    const [row] = await outbox(request);
    expect(row?.wait).toBeLessThanOrEqual(45);
    await quiet();
    expect(browser.received).toHaveLength(1);
  });

  it("is busy beyond the deadline is not tried any more", async () => {
    browser.answers.push(laterAnswer, laterAnswer);
    const request = await agent.request();
    await putOff(request);
    await sql`update authorization_request set expires_at = now() where rid = ${request.rid}`;
    await makeDue();
    await quiet();
    expect(browser.received).toHaveLength(1);
  });

  it("refuses is not asked again about the same request", async () => {
    browser.answers.push({ status: 403 });
    const request = await agent.request();
    await stageOf(request, "done");
    await makeDue();
    await quiet();
    expect(browser.received).toHaveLength(1);
    expect(await (await phone.call("GET", "/app/push")).json()).toMatchObject({
      subscription: { last: { outcome: "refused" } },
    });
  });

  it("hangs holds up nobody else's alert", async () => {
    const carol = await enrolledPhone(world.broker, "Carol", phone);
    await agent.pairWith(carol);
    const hers = await world.subscribed(carol);
    browser.answers.push("hangs", "hangs");
    await agent.request({ approvers: [phone.approver()] });
    await got(browser, 1);
    await agent.request({ approvers: [carol.approver()] });
    await got(hers, 1);
    agent.devices.delete(carol.approver());
  });

  it("loses every push takes nothing from an open app: it learns at once", async () => {
    browser.answers.push("hangs", "hangs", "hangs");
    const events = readEvents(await phone.call("GET", "/app/events"));
    await expect.poll(() => events.comments.length).toBeGreaterThan(0);
    const request = await agent.request();
    await expect
      .poll(() => events.events.map(({ data }) => data))
      .toContainEqual({ rid: request.rid });
    expect((await phone.inbox()).map(({ rid }) => rid)).toContain(request.rid);
    const [row] = await outbox(request);
    expect(row?.stage).toBe("ask");
    events.close();
  });
});

describe("the delay before the next try", () => {
  it("doubles up to a minute, and is never shorter than asked for", () => {
    const busy = { outcome: "busy" as const };
    const delays = [1, 2, 3, 4, 5, 6, 7, 8, 50].map((attempts) => delaySeconds({ attempts }, busy));
    expect(delays).toEqual([1, 2, 4, 8, 16, 32, 60, 60, 60]);
    expect(delaySeconds({ attempts: 1 }, { ...busy, retryAfterSeconds: 90 })).toBe(90);
    expect(delaySeconds({ attempts: 6 }, { ...busy, retryAfterSeconds: 2 })).toBe(32);
  });
});

describe("an agent's alerts to one person", () => {
  it("are three in ten minutes; what comes later waits in the inbox", async () => {
    for (const count of [1, 2, 3]) {
      const request = await agent.request();
      await got(browser, count);
      // So that its end needs no second push.
      await phone.call("DELETE", `/app/push/alerts/${request.rid}`);
      await cancel(request);
    }
    const fourth = await agent.request();
    expect((await phone.inbox()).map(({ rid }) => rid)).toContain(fourth.rid);
    expect(await outbox(fourth)).toHaveLength(0);
    await quiet();
    expect(browser.received).toHaveLength(3);

    await sql`update push_window set pushed_at[1] = now() - interval '601 seconds'`;
    await cancel(fourth);
    await agent.request();
    await got(browser, 4);
  });

  it("are three, however many requests come at once", async () => {
    await sql`insert into push_window values (${agent.clientId}, ${phone.approver()}, array[now(), now()])`;
    await Promise.all([1, 2, 3].map(() => agent.request()));
    const [row] = await sql<{ alerts: number; times: number }[]>`
      select (select count(*) from push_outbox o join authorization_request r on r.rid = o.rid
        and r.expires_at > now())::int as alerts, cardinality(pushed_at) as times from push_window`;
    expect(row).toEqual({ alerts: 1, times: 3 });
  });

  it("do not count against another agent", async () => {
    await sql`insert into push_window values ('another agent', ${phone.approver()}, array[now(), now(), now()])`;
    await agent.request();
    await got(browser, 1);
  });
});

describe("an end elsewhere", () => {
  it("takes the alert's place, visibly, by the same tag and topic", async () => {
    const request = await agent.request();
    await stageOf(request, "asked");
    await cancel(request);
    await got(browser, 2);
    const [asking, over] = browser.received;
    expect(over?.message.notification).toMatchObject({
      title: "soft agent: answered elsewhere",
      tag: asking?.message.notification.tag,
      silent: true,
    });
    expect(over?.headers["topic"]).toBe(asking?.headers["topic"]);
    await stageOf(request, "done");
    await quiet();
    expect(browser.received).toHaveLength(2);
  });

  it("is not pushed to a device that has opened the request", async () => {
    const request = await agent.request();
    await stageOf(request, "asked");
    expect((await phone.call("DELETE", `/app/push/alerts/${request.rid}`)).status).toBe(204);
    await phone.deny(request.rid);
    await quiet();
    expect(browser.received).toHaveLength(1);
  });

  it("leaves unsent what was not sent", async () => {
    browser.answers.push(laterAnswer);
    const request = await agent.request();
    await putOff(request);
    await cancel(request);
    await makeDue();
    await quiet();
    expect(browser.received).toHaveLength(1);
  });
});

it("a recovery alerts every phone of the account for as long as it can be stopped, and nobody else's", async () => {
  const other = await enrolledPhone(world.broker, "Grace", phone);
  const others = await world.subscribed(other);
  const [code = ""] = await phone.keys.makeRecoveryCodes();
  await other.keys.beginRecovery(code);
  await got(browser, 1);
  const [push] = browser.received;
  expect(Number(push?.headers["ttl"])).toBe(24 * 3600);
  expect(push?.message.notification).toMatchObject({
    title: "Somebody is recovering your account",
    navigate: `${world.broker.site.origin}/recovery`,
    tag: "recovery",
  });
  expect(push?.text).not.toContain(code);
  await quiet();
  expect(others.received).toHaveLength(0);
  // Asked again, it is the same recovery.
  await other.keys.beginRecovery(code);
  await quiet();
  expect(browser.received).toHaveLength(1);
});
