import { setTimeout as sleep } from "node:timers/promises";
import { socketHost } from "@countersign/embedded-postgres";
import { createDatabase, type TestDatabase } from "@countersign/test-kit/postgres";
import type { SoftAgent } from "@countersign/test-kit/soft-agent";
import type { SoftPhone } from "@countersign/test-kit/soft-phone";
import postgres from "postgres";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { migrate, pairedWorld, startTestBroker, type TestBroker } from "../testing/harness.js";

let database: TestDatabase;
let sql: postgres.Sql;
let broker: TestBroker;
let phone: SoftPhone;
let agent: SoftAgent;

beforeAll(async () => {
  database = await createDatabase(migrate);
  sql = postgres(database.url, { ...socketHost(database.url), max: 2, onnotice: () => {} });
});
afterAll(async () => {
  await sql.end();
  await database.drop();
});

/** Longer than a call takes that nothing holds up, and so long that whoever cuts off at once has done it. */
const heldMilliseconds = 1500;

describe("a broker that is told to end", () => {
  beforeEach(async () => {
    await sql`truncate approver, agent cascade`;
    broker = await startTestBroker({ databaseUrl: database.url });
    ({ phone, agent } = await pairedWorld(broker));
  });
  afterEach(() => broker.stop());

  /** Begins to end it while a row that a call waits for is held. */
  async function endWhileHeld<T>(rid: string, call: () => Promise<T>): Promise<T> {
    const held = await sql.reserve();
    await held`begin`;
    await held`select from authorization_request where rid = ${rid} for update`;
    const answer = call();
    // Nothing is lost of it before somebody looks.
    answer.catch(() => {});
    await sleep(300);
    const ended = broker.stop();
    await sleep(heldMilliseconds);
    await held`commit`;
    held.release();
    await ended;
    return answer;
  }

  it("answers the calls that it has begun", async () => {
    const { rid } = await agent.request();
    const approval = await phone.signApproval(rid);
    expect(await endWhileHeld(rid, () => phone.decide(rid, approval))).toBe("approved");
  });

  it("answers whoever waits for a decision at once, and redeems nothing by it", async () => {
    const { rid } = await agent.request();
    const waiting = agent.poll(rid);
    await sleep(300);
    await broker.stop();
    expect(await waiting).toMatchObject({ status: 400, body: { error: "authorization_pending" } });
  });

  it("ends streams in order, and their connections with them", async () => {
    const response = await openStream();
    const text = response.text();
    await broker.stop();
    // One that was cut off would end in an error.
    expect(await text).toContain(": ready");
    expect(response.headers.get("connection")).toBe("close");
  });

  it("tells who keeps a connection that the answer is the last one on it", async () => {
    const { rid } = await agent.request();
    const approval = await phone.signApproval(rid);
    const decide = () => phone.call("POST", `/app/requests/${rid}/decisions`, approval);
    const answer = await endWhileHeld(rid, decide);
    expect(answer.headers.get("connection")).toBe("close");
  });

  async function openStream(): Promise<Response> {
    const answer = await agent.form("/token", { grant_type: "client_credentials" });
    const { access_token: token } = (await answer.json()) as { access_token: string };
    return fetch(`${broker.site.origin}/v1/events`, {
      headers: {
        authorization: `DPoP ${token}`,
        dpop: await agent.dpop("GET", "/v1/events", token),
      },
    });
  }
});
