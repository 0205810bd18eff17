import type { SoftAgent } from "@countersign/test-kit/soft-agent";
import type { SoftPhone } from "@countersign/test-kit/soft-phone";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pairedWorld, startTestBroker, type TestBroker } from "./testing/harness.js";

let broker: TestBroker;
let phone: SoftPhone;
let agent: SoftAgent;

beforeAll(async () => {
  broker = await startTestBroker();
  ({ phone, agent } = await pairedWorld(broker));
});
afterAll(() => broker.drop());

describe("the path", () => {
  it("carries an approval from the phone to the waiting agent, once", async () => {
    const request = await agent.request();
    const waiting = agent.poll(request.rid);
    const [shown] = await phone.inbox();
    expect(shown).toMatchObject({ rid: request.rid, state: "pending", tier: "red" });
    expect((await phone.review(request.rid)).matchCode).toBe(request.matchCode);
    expect(await phone.approve(request.rid)).toBe("approved");

    const { status, body } = await waiting;
    expect(status).toBe(200);
    expect(body).toMatchObject({
      token_type: "DPoP",
      evidence: { decisions: [{ decision: "approve" }] },
    });
    expect(await agent.poll(request.rid)).toMatchObject({
      status: 400,
      body: { error: "invalid_grant" },
    });

    const outcome = await agent.outcomeOf(request);
    const reported = await agent.call("POST", `/v1/requests/${request.rid}/outcome`, { outcome });
    expect(await reported.json()).toMatchObject({ state: "reported", outcomes: 1 });
  });

  it("carries a denial and its reason, signed", async () => {
    const request = await agent.request();
    const waiting = agent.poll(request.rid);
    expect(await phone.deny(request.rid, "not today")).toBe("denied");
    const { body } = await waiting;
    expect(body).toMatchObject({ error: "access_denied", decision: { decision: "deny" } });
  });

  it("withdraws a request at its agent's word", async () => {
    const request = await agent.request();
    const response = await agent.call("POST", `/v1/requests/${request.rid}/cancel`, {});
    expect(await response.json()).toMatchObject({ state: "canceled" });
    await expect(phone.approve(request.rid)).rejects.toMatchObject({ code: "already_settled" });
    expect((await agent.poll(request.rid)).body).toMatchObject({
      error: "access_denied",
      code: "canceled",
    });
  });

  it("expires what nobody answers", async () => {
    const request = await agent.request({ seconds: 4 });
    const { body } = await agent.poll(request.rid);
    expect(body).toMatchObject({ error: "expired_token" });
    await expect(phone.approve(request.rid)).rejects.toMatchObject({ code: "expired" });
  });
});

describe("what needs no decision", () => {
  it("lets a person sign out and an agent or a person end their pairing, without a body", async () => {
    const other = await startTestBroker();
    const world = await pairedWorld(other);
    const { clientId } = world.agent;
    expect((await world.phone.call("DELETE", `/app/agents/${clientId}`)).status).toBe(204);
    expect(await world.phone.pairedAgents()).toEqual([]);
    const pairingId = await world.agent.pairWith(world.phone);
    expect((await world.agent.call("DELETE", `/v1/pairings/${pairingId}`)).status).toBe(204);
    expect(await world.phone.pairedAgents()).toEqual([]);
    expect((await world.phone.call("DELETE", "/app/session")).status).toBe(204);
    await expect(world.phone.inbox()).rejects.toMatchObject({ code: "unauthenticated" });
    await other.drop();
  });
});
