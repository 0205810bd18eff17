import { setTimeout as sleep } from "node:timers/promises";
import { appHint, parse } from "@countersign/shared";
import { type Balancer, startBalancer } from "@countersign/test-kit/balancer";
import { type BrokerProcess, startBrokerProcess } from "@countersign/test-kit/broker-process";
import { createDatabase, type TestDatabase } from "@countersign/test-kit/postgres";
import { createSoftAgent, type SoftAgent } from "@countersign/test-kit/soft-agent";
import { createSoftPhone, type SoftPhone } from "@countersign/test-kit/soft-phone";
import { openSql, type Sql } from "@countersign/test-kit/sql";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { hintChannel } from "./db/changes.js";
import { type EventReader, readAgentEvents, readEvents, statesOf } from "./testing/event-reader.js";
import { migrate } from "./testing/harness.js";

// Two real processes on one database, behind one address: agents are sent to the first, phones to the second.

let database: TestDatabase;
let sql: Sql;
let balancer: Balancer;
let brokers: [BrokerProcess, BrokerProcess];
let phone: SoftPhone;
let agent: SoftAgent;
let origin: string;
const open: EventReader[] = [];

/** Which of the two takes a call. */
let route = (path: string): 0 | 1 => (path.startsWith("/app") ? 1 : 0);
const byPath = route;

const startOne = (port?: number) =>
  startBrokerProcess({
    DATABASE_URL: database.url,
    PUBLIC_URL: origin,
    ...(port === undefined ? {} : { PORT: String(port) }),
  });

beforeAll(async () => {
  database = await createDatabase(migrate);
  sql = openSql(database.url);
  balancer = await startBalancer(({ url = "/" }) => [brokers[route(url)].port]);
  origin = `http://localhost:${balancer.port}`;
  const first = await startOne();
  brokers = [first, await startOne()];
  phone = await createSoftPhone({ origin });
  await phone.enrol(brokers[1].firstInvitation ?? "", "Ada");
  agent = await createSoftAgent({ origin });
  await agent.pairWith(phone);
});
afterEach(() => {
  route = byPath;
  for (const reader of open.splice(0)) reader.close();
});
afterAll(async () => {
  for (const broker of brokers) await broker.stop();
  await balancer.close();
  await sql.end();
  await database.drop();
});

async function agentStream(lastEventId?: number): Promise<EventReader> {
  const reader = await readAgentEvents(origin, agent, lastEventId);
  expect(reader.status).toBe(200);
  open.push(reader);
  return reader;
}

async function phoneStream(): Promise<EventReader> {
  const reader = readEvents(await phone.call("GET", "/app/events"));
  expect(reader.status).toBe(200);
  open.push(reader);
  return reader;
}

const hintsOf = (reader: EventReader) => reader.events.map(({ data }) => parse(appHint, data));

/** Ends the connections that hear hints, and with them every hint until they are back. */
const cutEars = () =>
  sql`select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and query ilike ${`listen%${hintChannel}%`}`;

describe("brokers on one database", () => {
  it("answer an agent that waits on one when a phone decides on the other", async () => {
    const request = await agent.request();
    const waiting = agent.poll(request.rid);
    await sleep(100);
    expect(await phone.approve(request.rid)).toBe("approved");
    expect(await waiting).toMatchObject({ status: 200, body: { evidence: { v: 1 } } });
  });

  it("tell a stream on one of what happens on the other, both ways", async () => {
    const [agents, phones] = [await agentStream(), await phoneStream()];
    const request = await agent.request();
    await expect.poll(() => hintsOf(phones).map(({ rid }) => rid)).toContain(request.rid);
    await expect.poll(() => statesOf(agents, request.rid)).toEqual(["pending"]);
    await phone.deny(request.rid);
    await expect.poll(() => statesOf(agents, request.rid)).toEqual(["pending", "denied"]);
  });

  it("go on with a stream of the one on the other, from the last event on", async () => {
    const before = await agentStream();
    const request = await agent.request();
    await expect.poll(() => statesOf(before, request.rid)).toEqual(["pending"]);
    const last = before.events.at(-1)?.id;
    before.close();
    await phone.deny(request.rid);
    route = () => 1;
    const after = await agentStream(last);
    await expect.poll(() => statesOf(after, request.rid)).toContain("denied");
  });

  it("take each call wherever it lands: tokens, proofs, nonces, sessions, pairings, ceremonies", async () => {
    let turn: 0 | 1 = 0;
    route = () => {
      turn = turn === 0 ? 1 : 0;
      return turn;
    };
    const other = await createSoftPhone({ origin });
    await other.enrol(await phone.invite(), "Grace");
    const fresh = await createSoftAgent({ origin });
    await fresh.pairWith(other);
    for (let count = 0; count < 2; count++) {
      const request = await fresh.request();
      expect(await other.approve(request.rid)).toBe("approved");
      expect((await fresh.poll(request.rid)).status).toBe(200);
    }
  });

  it("know a proof again that the other has seen", async () => {
    const body = new URLSearchParams({
      grant_type: "client_credentials",
      client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
      client_assertion: await agent.clientAssertion(),
    });
    const ask = async () =>
      fetch(`${origin}/token`, {
        method: "POST",
        headers: { dpop: await agent.dpop("POST", "/token") },
        body,
      });
    expect((await ask()).status).toBe(200);
    route = () => 1;
    const again = await ask();
    expect(await again.json()).toMatchObject({ error: "invalid_client" });
  });

  it("hand one approval out once, when it is redeemed on both at the same moment", async () => {
    let turn = 0;
    route = (path) => (path.startsWith("/app") ? 1 : ((turn++ % 2) as 0 | 1));
    for (let round = 0; round < 5; round++) {
      const request = await agent.request();
      await phone.approve(request.rid);
      const answers = await Promise.all([1, 2, 3, 4].map(() => agent.poll(request.rid)));
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    }
  });

  it("lose no decision with a hint: it is found within seconds, and hints come again", async () => {
    const request = await agent.request();
    const waiting = agent.poll(request.rid);
    const phones = await phoneStream();
    await sleep(100);
    const cutting = setInterval(() => void cutEars(), 20);
    const second = await agent.request();
    await expect.poll(() => hintsOf(phones).map(({ rid }) => rid)).toContain(second.rid);
    await phone.approve(request.rid);
    expect((await waiting).status).toBe(200);
    clearInterval(cutting);
    const ears = () =>
      sql`select 1 from pg_stat_activity where datname = current_database() and query ilike ${`listen%${hintChannel}%`}`;
    await expect.poll(async () => (await ears()).length).toBe(2);
    await phone.deny(second.rid);
  });

  it("end each other's streams when a session, an agent or a device is no more", async () => {
    const other = await createSoftPhone({ origin });
    await other.enrol(await phone.invite(), "Alan");
    const fresh = await createSoftAgent({ origin });
    await fresh.pairWith(other);
    route = () => 0;
    const phones = readEvents(await other.call("GET", "/app/events"));
    const agents = await readAgentEvents(origin, fresh);
    expect([phones.status, agents.status]).toEqual([200, 200]);
    await sleep(1200);
    route = () => 1;
    expect((await other.call("DELETE", `/app/agents/${fresh.clientId}`)).status).toBe(204);
    await agents.ended;
    expect((await other.call("DELETE", "/app/session")).status).toBe(204);
    await phones.ended;
    route = () => 0;
    expect((await other.call("GET", "/app/requests?view=inbox")).status).toBe(401);
  });

  it("are restarted one after the other without losing what waits", async () => {
    const request = await agent.request();
    for (const index of [0, 1] as const) {
      const { port } = brokers[index];
      await brokers[index].stop();
      brokers[index] = await startOne(port);
    }
    expect(await phone.approve(request.rid)).toBe("approved");
    expect((await agent.poll(request.rid)).status).toBe(200);
  });
});
