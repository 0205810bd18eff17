import { setTimeout as sleep } from "node:timers/promises";
import { createDatabase, type TestDatabase } from "@countersign/test-kit/postgres";
import type { SoftAgent } from "@countersign/test-kit/soft-agent";
import type { SoftPhone } from "@countersign/test-kit/soft-phone";
import { openSql, type Sql } from "@countersign/test-kit/sql";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { migrate, pairedWorld, startTestBroker, type TestBroker } from "../testing/harness.js";

let database: TestDatabase;
let sql: Sql;
let broker: TestBroker;
let phone: SoftPhone;
let agent: SoftAgent;

beforeAll(async () => {
  database = await createDatabase(migrate);
  sql = openSql(database.url);
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
    const holder = await sql.pool.connect();
    await holder.query("begin");
    await holder.query("select from authorization_request where rid = $1 for update", [rid]);
    const answer = call();
    // Nothing is lost of it before somebody looks.
    answer.catch(() => {});
    const waiting = () => sql`select from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`;
    await expect.poll(async () => (await waiting()).length).toBe(1);
    const ended = broker.stop();
    await sleep(heldMilliseconds);
    await holder.query("commit");
    holder.release();
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
    const proofs = async () => (await sql`select from used_proof`).length;
    const before = await proofs();
    const waiting = agent.poll(rid);
    await expect.poll(proofs).toBeGreaterThan(before);
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
