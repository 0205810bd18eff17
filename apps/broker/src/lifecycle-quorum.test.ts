import type { RequestState } from "@countersign/shared";
import { createSoftAgent, type SoftAgent } from "@countersign/test-kit/soft-agent";
import type { SoftPhone } from "@countersign/test-kit/soft-phone";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { enrolledPhone, startTestBroker, type TestBroker } from "./testing/harness.js";

let broker: TestBroker;
let phones: [SoftPhone, SoftPhone, SoftPhone];
let agent: SoftAgent;

beforeAll(async () => {
  broker = await startTestBroker();
  const ada = await enrolledPhone(broker, "Ada");
  const grace = await enrolledPhone(broker, "Grace", ada);
  const joan = await enrolledPhone(broker, "Joan", grace);
  phones = [ada, grace, joan];
  agent = await createSoftAgent({ origin: broker.site.origin });
  for (const phone of phones) await agent.pairWith(phone);
});
afterAll(() => broker.drop());

const twoOfThree = () => agent.request({ quorum: 2 });
const codeOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    (state) => state,
    (error: { code?: string }) => error.code,
  );

describe("two of three", () => {
  it("lets nothing through with one, and everything with any two", async () => {
    for (const [first, second] of [
      [0, 1],
      [1, 2],
      [2, 0],
    ] as const) {
      const request = await twoOfThree();
      expect(await phones[first].approve(request.rid)).toBe("pending");
      expect(await agent.status(request.rid)).toMatchObject({ state: "pending", approvals: 1 });
      expect(await phones[second].approve(request.rid)).toBe("approved");
      const { body } = await agent.poll(request.rid);
      const { decisions } = body["evidence"] as { decisions: unknown[] };
      expect(decisions).toHaveLength(2);
    }
  });

  it("wakes the agent's poll only with the second", async () => {
    const request = await twoOfThree();
    let answered = false;
    const waiting = agent.poll(request.rid).then((answer) => {
      answered = true;
      return answer;
    });
    await phones[0].approve(request.rid);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(answered).toBe(false);
    await phones[1].approve(request.rid);
    expect((await waiting).status).toBe(200);
  });

  it("counts nobody twice", async () => {
    const request = await twoOfThree();
    await phones[0].approve(request.rid);
    expect(await codeOf(phones[0].approve(request.rid))).toBe("already_settled");
    expect(await agent.status(request.rid)).toMatchObject({ state: "pending", approvals: 1 });
    expect(await phones[2].deny(request.rid)).toBe("denied");
  });

  it("ends with one denial, whoever approved before", async () => {
    const request = await twoOfThree();
    await phones[0].approve(request.rid);
    expect(await phones[1].deny(request.rid, "not on a Friday")).toBe("denied");
    expect(await codeOf(phones[2].approve(request.rid))).toBe("already_settled");
    expect((await agent.poll(request.rid)).body).toMatchObject({
      error: "access_denied",
      decision: { decision: "deny" },
    });
  });

  it("lets an approver take a yes back until it is redeemed", async () => {
    const request = await twoOfThree();
    await phones[0].approve(request.rid);
    await phones[1].approve(request.rid);
    expect(await phones[0].deny(request.rid)).toBe("denied");
    expect((await agent.poll(request.rid)).body).toMatchObject({ error: "access_denied" });
  });

  it("reaches exactly the quorum when all press at once", async () => {
    for (let round = 0; round < 8; round++) {
      const request = await twoOfThree();
      const approvals = await Promise.all(phones.map((phone) => phone.signApproval(request.rid)));
      const told = await Promise.all(
        phones.map((phone, index) => codeOf(phone.decide(request.rid, approvals[index]))),
      );
      expect([...told].sort()).toEqual(["already_settled", "approved", "pending"]);
      expect(await agent.status(request.rid)).toMatchObject({ state: "approved", approvals: 2 });
      expect((await agent.poll(request.rid)).status).toBe(200);
    }
  });

  it("is either approved or denied when yes and no come at once, and the agent hears the same", async () => {
    for (let round = 0; round < 8; round++) {
      const request = await twoOfThree();
      await phones[0].approve(request.rid);
      const yes = await phones[1].signApproval(request.rid);
      const no = await phones[2].signDenial(request.rid);
      const waiting = agent.poll(request.rid);
      const [, denied] = await Promise.all([
        codeOf(phones[1].decide(request.rid, yes)),
        codeOf(phones[2].decide(request.rid, no)),
      ]);
      const { status, body } = await waiting;
      const final: RequestState = (await agent.status(request.rid)).state;
      expect(["denied", "redeemed"]).toContain(final);
      expect(denied).toBe(final === "denied" ? "denied" : "already_settled");
      if (final === "denied") expect(body).toMatchObject({ error: "access_denied" });
      else expect(status).toBe(200);
    }
  });

  it("is asked of approvers that the agent is paired with, and only of them", async () => {
    const stranger = await enrolledPhone(broker, "Mallory", phones[0]);
    const approvers = [phones[0].approver(), stranger.approver()];
    const prepared = await agent.prepare({ approvers, quorum: 2 });
    await agent.upload(prepared);
    const refused = await agent.authorize(prepared);
    expect(await refused.json()).toMatchObject({ code: "forbidden" });

    const request = await twoOfThree();
    expect(await codeOf(stranger.approve(request.rid))).toBe("not_found");
    expect(await stranger.inbox()).toEqual([]);
    await phones[0].deny(request.rid);
  });
});

describe("an invitation", () => {
  it("makes one approver, and is used up", async () => {
    const link = await phones[1].invite();
    const [first, second] = await Promise.all([
      codeOf(enrol(link, "Barbara")),
      codeOf(enrol(link, "Eve")),
    ]);
    expect([first, second].filter((answer) => answer === "invitation_invalid")).toHaveLength(1);
  });
});

async function enrol(link: string, name: string): Promise<string> {
  const { createSoftPhone } = await import("@countersign/test-kit/soft-phone");
  const phone = await createSoftPhone({ origin: broker.site.origin });
  return phone.enrol(link, name);
}
