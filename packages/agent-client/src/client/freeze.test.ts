import type { SignedFreeze } from "@countersign/shared";
import { createSoftAuthenticator } from "@countersign/test-kit/soft-authenticator";
import { createSoftDevice } from "@countersign/test-kit/soft-device";
import { beforeEach, describe, expect, it } from "vitest";
import { createPaired, site } from "../fixtures/agent.js";

type World = Awaited<ReturnType<typeof createPaired>>;

let world: World;
let agentJkt: string;
const pair = async (approvers = 1) => {
  world = await createPaired({ retryForMs: 0, approvers });
  agentJkt = [...world.broker.pairings.values()][0]?.offer.iss ?? "";
};
beforeEach(() => pair());

const sign = (seq: number, given?: Parameters<World["approver"]["chain"]["signFreeze"]>[2]) =>
  world.approver.chain.signFreeze(agentJkt, seq, given);
const show = (freeze: SignedFreeze | undefined) => world.approver.chain.showFreeze(freeze);
const request = () => world.client.request({ tool: "delete", args: {} });
const frozen = { status: "frozen" };

/** A request whose yes the broker hands out. */
async function approved(): Promise<string> {
  const { held, rid } = await world.ask();
  const approval = await world.approver.approve(held);
  world.broker.yes(rid, world.broker.honestEvidence(rid, [approval]));
  return rid;
}

describe("a frozen agent", () => {
  it("asks nothing, whomever it would ask", async () => {
    await pair(2);
    show(await sign(1));
    const approver = world.approver.id;
    expect(await request()).toMatchObject({ ...frozen, approver });
    const other = world.approvers[1]?.id ?? "";
    expect(
      await world.client.request({ tool: "t", args: {} }, { approvers: [other] }),
    ).toMatchObject({ ...frozen, approver });
    expect(world.broker.requests.size).toBe(0);
  });

  it("executes nothing: neither what it hears of now nor what it had verified", async () => {
    const [early, late] = [await approved(), await approved()];
    expect(await world.client.wait(early)).toMatchObject({ status: "approved" });
    show(await sign(1));
    expect(await world.client.wait(late)).toMatchObject(frozen);
    expect(await world.client.claim(early)).toMatchObject(frozen);
    show(await sign(2, { lifts: true }));
    expect(await world.client.resume(late)).toMatchObject(frozen);
  });

  it("looks again between the claim and the effect", async () => {
    let measured = 0;
    const same = "A".repeat(43);
    world = await createPaired({
      retryForMs: 0,
      preconditions: {
        slow: async () => {
          measured += 1;
          // By another process of this agent, while this one measures.
          if (measured === 2) {
            show(await sign(1));
            await (await world.open()).request({ tool: "t", args: {} });
          }
          return same;
        },
      },
    });
    agentJkt = [...world.broker.pairings.values()][0]?.offer.iss ?? "";
    const { held, rid } = await world.ask({
      tool: "t",
      args: {},
      preconditions: [{ kind: "slow", subject: "x" }],
    });
    world.broker.yes(rid, world.broker.honestEvidence(rid, [await world.approver.approve(held)]));
    expect(await world.client.wait(rid)).toMatchObject({ status: "approved" });
    expect(await world.client.claim(rid)).toMatchObject(frozen);
    expect(world.broker.state.outcomes.at(-1)).toMatchObject({ status: "failed", code: "frozen" });
  });

  it("stays frozen when the freeze is withheld, also after a restart", async () => {
    show(await sign(1));
    await request();
    show(undefined);
    expect(await request()).toMatchObject(frozen);
    expect(await (await world.open()).request({ tool: "t", args: {} })).toMatchObject(frozen);
    world.broker.chains.clear();
    expect(await request()).toMatchObject(frozen);
  });
});

it("a request that was denied by a freeze is reported as frozen, by its signed F alone", async () => {
  const { rid } = await world.ask();
  world.broker.no(rid, { error: "access_denied", code: "frozen", freeze: await sign(1) });
  expect(await world.client.wait(rid)).toMatchObject({ ...frozen, approver: world.approver.id });
  const { rid: bare } = await world.ask();
  world.broker.no(bare, { error: "access_denied", code: "frozen" });
  expect(await world.client.wait(bare)).toMatchObject({ status: "unreachable" });
});

describe("a freeze is lifted", () => {
  beforeEach(async () => {
    show(await sign(1));
    await request();
  });

  it("by the same approver's device and passkey, with the next number", async () => {
    show(await sign(2, { lifts: true }));
    expect(await request()).toMatchObject({ status: "pending" });
  });

  it("by nobody else", async () => {
    await pair(2);
    show(await sign(1));
    await request();
    const other = world.approvers[1];
    if (!other) throw new Error("no second approver");
    show(await other.chain.signFreeze(agentJkt, 2, { lifts: true }));
    expect(await request()).toMatchObject(frozen);
    show(await other.chain.signFreeze(agentJkt, 2, { lifts: true, approver: world.approver.id }));
    expect(await request()).toMatchObject(frozen);
  });

  it("by nothing less: no assertion, another agent's, a key that is not pinned", async () => {
    const lift = await sign(2, { lifts: true });
    const { assertion: _, ...without } = lift;
    const { authenticator, device } = world.approver;
    const passkey = createSoftAuthenticator({ rpId: site.rp_id, origin: site.origin });
    const unpinned = { authenticator, device: await createSoftDevice() };
    const forged = [
      without,
      { ...lift, assertion: (await sign(2, { lifts: true })).assertion },
      await world.approver.chain.signFreeze("A".repeat(43), 2, { lifts: true }),
      await sign(2, { lifts: true, by: unpinned }),
      await sign(2, { lifts: true, by: { authenticator: passkey, device } }),
    ];
    for (const freeze of forged) {
      show(freeze as SignedFreeze);
      expect(await request()).not.toMatchObject({ status: "pending" });
    }
  });
});

describe("an older freeze is refused", () => {
  it("once it was lifted", async () => {
    const first = await sign(1);
    show(first);
    await request();
    show(await sign(2, { lifts: true }));
    await world.ask();
    show(first);
    expect(await request()).toMatchObject({
      status: "integrity_mismatch",
      code: "freeze_rolled_back",
    });
  });

  it("and a lift that was used opens no later freeze", async () => {
    show(await sign(1));
    await request();
    const lift = await sign(2, { lifts: true });
    show(lift);
    await world.ask();
    show(await sign(3));
    expect(await request()).toMatchObject(frozen);
    show(lift);
    expect(await request()).not.toMatchObject({ status: "pending" });
  });
});

it("a freeze that names somebody else, or another agent, is none of this approver's", async () => {
  const { approver } = world;
  for (const foreign of [
    await sign(1, { approver: "A".repeat(22) }),
    await approver.chain.signFreeze("A".repeat(43), 1),
  ]) {
    show(foreign);
    expect(await request()).toMatchObject({ status: "integrity_mismatch", code: "freeze_invalid" });
  }
});

it("a freeze by a phone that this agent never pinned stops it all the same; one that verifies by nobody does too", async () => {
  const second = { authenticator: world.approver.authenticator, device: await createSoftDevice() };
  show(await sign(1, { by: second }));
  expect(await request()).toMatchObject({ status: "integrity_mismatch", code: "freeze_invalid" });
  await world.approver.chain.change({ op: "add", subject: { device: second.device.keys } });
  expect(await request()).toMatchObject(frozen);
});
