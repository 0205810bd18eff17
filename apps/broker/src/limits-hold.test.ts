import { freePort } from "@countersign/test-kit/broker-process";
import { createSoftAgent } from "@countersign/test-kit/soft-agent";
import { openSql } from "@countersign/test-kit/sql";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect } from "./db/client.js";
import { rows } from "./db/rows.js";
import { createFailureLimit, createRateLimits } from "./http/limits.js";
import { codeOf } from "./testing/attack.js";
import { enrolledPhone, pairedWorld, startTestBroker, type TestBroker } from "./testing/harness.js";

let broker: TestBroker;

beforeAll(async () => {
  broker = await startTestBroker({ variables: { PENDING_PER_AGENT: "5" } });
});
afterAll(() => broker.drop());

/** How many of so many calls are taken. */
async function taken(calls: number, call: () => Promise<void>): Promise<number> {
  const codes = await Promise.all(Array.from({ length: calls }, () => codeOf(call())));
  for (const code of codes) expect(["accepted", "slow_down"]).toContain(code);
  return codes.filter((code) => code === "accepted").length;
}

describe("a bucket", () => {
  it("is one for all brokers of a database", async () => {
    const { db, close } = connect(broker.databaseUrl);
    const one = createRateLimits({ db, reserved: db });
    const other = createRateLimits({ db, reserved: db });
    const [here, there] = await Promise.all([
      taken(15, () => one.recovery("a")),
      taken(15, () => other.recovery("a")),
    ]);
    const sum = here + there;
    expect(sum).toBeGreaterThanOrEqual(20);
    // It fills by one in three seconds.
    expect(sum).toBeLessThanOrEqual(25);
    expect(await taken(1, () => other.recovery("b"))).toBe(1);
    await close();
  });

  it("gives a whole minute's calls, and no more, however many come at once", async () => {
    const { db, close } = connect(broker.databaseUrl);
    const rates = createRateLimits({ db, reserved: db });
    expect(await taken(400, () => rates.address("c"))).toBe(300);
    await close();
  });

  it("keeps nobody out for as long as the database's clock was set back", async () => {
    const { db, close } = connect(broker.databaseUrl);
    const rates = createRateLimits({ db, reserved: db });
    expect(await taken(40, () => rates.recovery("e"))).toBeLessThan(40);
    await rows(db, sql`update rate_bucket set filled_at = filled_at + interval '1 hour'`);
    const fresh = createRateLimits({ db, reserved: db });
    expect(await taken(10, () => fresh.recovery("e"))).toBe(10);
    expect(await taken(40, () => fresh.recovery("e"))).toBeLessThan(40);
    await close();
  });

  it("counts refused authentications, and stops reading after them", async () => {
    const { db, close } = connect(broker.databaseUrl);
    const failures = createFailureLimit(db);
    for (let count = 0; count < 299; count++) await failures.count("d");
    expect(await codeOf(failures.check("d"))).toBe("accepted");
    for (let count = 0; count < 2; count++) await failures.count("d");
    expect(await codeOf(failures.check("d"))).toBe("slow_down");
    await close();
  });
});

describe("an agent", () => {
  it("has as many requests open as the operator allows", async () => {
    const { phone, agent } = await pairedWorld(broker);
    const open: string[] = [];
    for (let count = 0; count < 5; count++) open.push((await agent.request()).rid);
    const sixth = await agent.prepare();
    await agent.upload(sixth);
    expect(await (await agent.authorize(sixth)).json()).toMatchObject({ code: "too_many_pending" });
    for (const rid of open) await phone.deny(rid);
  });
});

describe("a decision", () => {
  it("waits for no crowd: not for another tenant's calls that hold every connection", async () => {
    const port = await freePort();
    const first = await startTestBroker({ port });
    const { phone, agent } = await pairedWorld(first);
    const neighbour = await createSoftAgent({ origin: first.site.origin });
    await neighbour.pairWith(await enrolledPhone(first, "Eve", phone));
    // It has its token already.
    await neighbour.call("GET", "/v1/requests/AAAAAAAAAAAAAAAAAAAAAA");
    await phone.approve((await agent.request()).rid);
    const [one, two] = [await agent.request(), await agent.request()];
    const approval = await phone.signApproval(one.rid);
    const denial = await phone.signDenial(two.rid);

    // One that has just started remembers nothing of the tree that the approval names.
    await first.stop();
    const { databaseUrl } = first;
    const crowded = await startTestBroker({ databaseUrl, port });
    const sql = openSql(crowded.databaseUrl);
    const holder = await sql.pool.connect();
    // Every agent's call stops here, until PostgreSQL ends its statement.
    await holder.query("begin; lock table used_proof");
    let answered = 0;
    const crowd = Array.from({ length: 40 }, async () => {
      const { status } = await neighbour.call("GET", `/v1/requests/${one.rid}`);
      answered += 1;
      return status;
    });
    const waiting = () =>
      sql`select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    await expect.poll(async () => (await waiting()).length).toBe(10);

    expect(await phone.decide(one.rid, approval)).toBe("approved");
    expect(await phone.decide(two.rid, denial)).toBe("denied");
    expect(answered).toBeLessThan(crowd.length);

    await holder.query("rollback");
    holder.release();
    for (const status of await Promise.all(crowd)) expect([404, 503]).toContain(status);
    await sql.end();
    await crowded.stop();
    await first.drop();
  });
});
