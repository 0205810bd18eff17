import { setTimeout as sleep } from "node:timers/promises";
import { type BrokerProcess, startBrokerProcess } from "@countersign/test-kit/broker-process";
import { createDatabase, type TestDatabase } from "@countersign/test-kit/postgres";
import { createSoftAgent, type SoftAgent } from "@countersign/test-kit/soft-agent";
import { createSoftPhone, type SoftPhone } from "@countersign/test-kit/soft-phone";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readAgentEvents, statesOf } from "./testing/event-reader.js";
import { migrate } from "./testing/harness.js";
import { expectKept } from "./testing/ledger-check.js";
import { keepAsking, newLedger } from "./testing/load.js";

// The real process, killed in the moments that matter. Nothing that counts is kept in its memory.

let database: TestDatabase;
let broker: BrokerProcess;
let phone: SoftPhone;
let agents: SoftAgent[];
let agent: SoftAgent;

const startAgain = async (): Promise<void> => {
  broker = await startBrokerProcess({
    DATABASE_URL: database.url,
    ...(broker ? { PORT: String(broker.port) } : {}),
  });
};

beforeAll(async () => {
  database = await createDatabase(migrate);
  await startAgain();
  phone = await createSoftPhone({ origin: broker.origin });
  await phone.enrol(broker.firstInvitation ?? "", "Ada");
  agents = [];
  for (let count = 0; count < 3; count++) {
    const one = await createSoftAgent({ origin: broker.origin });
    await one.pairWith(phone);
    agents.push(one);
  }
  [agent] = agents as [SoftAgent];
});
afterAll(async () => {
  await broker.stop();
  await database.drop();
});

describe("a broker that was killed", () => {
  it("while a request waits, still has it, and the agent's next poll is answered", async () => {
    const request = await agent.request();
    const waiting = agent.poll(request.rid);
    await sleep(100);
    const torn = expect(waiting).rejects.toThrow("fetch failed");
    await broker.kill();
    await torn;
    await startAgain();
    const again = agent.poll(request.rid);
    expect(await phone.approve(request.rid)).toBe("approved");
    expect(await again).toMatchObject({ status: 200, body: { evidence: { v: 1 } } });
  });

  it("with a ceremony open, still takes its assertion", async () => {
    const request = await agent.request();
    const approval = await phone.signApproval(request.rid);
    await broker.kill();
    await startAgain();
    expect(await phone.decide(request.rid, approval)).toBe("approved");
    expect((await agent.poll(request.rid)).status).toBe(200);
  });

  it("between approval and redemption, hands the evidence out once", async () => {
    const request = await agent.request();
    await phone.approve(request.rid);
    await broker.kill();
    await startAgain();
    expect((await agent.poll(request.rid)).status).toBe(200);
    expect((await agent.poll(request.rid)).body).toMatchObject({ error: "invalid_grant" });
  });

  it("after redemption, hands out nothing again but under the same key, and takes the outcome", async () => {
    const idempotencyKey = "Zk0b3v9u2qX1r8Lw";
    const request = await agent.request();
    await phone.approve(request.rid);
    const { body } = await agent.poll(request.rid, { idempotencyKey });
    await broker.kill();
    await startAgain();
    expect((await agent.poll(request.rid)).body).toMatchObject({ error: "invalid_grant" });
    const again = await agent.poll(request.rid, { idempotencyKey });
    // The log went on meanwhile: the proofs are under another checkpoint, and the redemption has one too.
    const leaves = expect.any(Array);
    expect(again.body["evidence"]).toEqual({ ...(body["evidence"] as object), leaves });
    const outcome = await agent.outcomeOf(request);
    const path = `/v1/requests/${request.rid}/outcome`;
    expect((await agent.call("POST", path, { outcome })).status).toBe(200);
  });

  it("after a denial, still says no", async () => {
    const request = await agent.request();
    await phone.deny(request.rid, "no");
    await broker.kill();
    await startAgain();
    expect((await agent.poll(request.rid)).body).toMatchObject({
      error: "access_denied",
      decision: { decision: "deny" },
    });
  });

  it("tells an agent's stream what happened in between, from the last event on", async () => {
    const reader = await readAgentEvents(broker.origin, agent);
    const before = await agent.request();
    await expect.poll(() => statesOf(reader, before.rid)).toEqual(["pending"]);
    const lastEventId = reader.events.at(-1)?.id;
    await broker.kill();
    await reader.ended;
    await startAgain();
    await phone.deny(before.rid);
    const after = await agent.request();
    const resumed = await readAgentEvents(broker.origin, agent, lastEventId);
    await expect.poll(() => statesOf(resumed, before.rid)).toContain("denied");
    await expect.poll(() => statesOf(resumed, after.rid)).toContain("pending");
    resumed.close();
    await phone.deny(after.rid);
  });

  it("under load, loses nothing acknowledged and doubles nothing", async () => {
    const ledger = newLedger();
    let over = false;
    const load = Promise.all(
      agents.map((one) => keepAsking({ agent: one, phone }, ledger, () => over)),
    );
    load.catch(() => {});
    for (let round = 0; round < 3; round++) {
      await sleep(500 + 130 * round);
      await broker.kill();
      await startAgain();
    }
    await sleep(300);
    over = true;
    await load;
    expect(ledger.reported.size).toBeGreaterThan(0);
    await expectKept(database.url, ledger);
  });
});
