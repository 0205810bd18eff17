import { randomNonce } from "@countersign/shared";
import { createSoftAuthenticator } from "@countersign/test-kit/soft-authenticator";
import { createSoftDevice } from "@countersign/test-kit/soft-device";
import { beforeEach, describe, expect, it } from "vitest";
import { createPaired, pairWith, site } from "../fixtures/agent.js";
import { createApprover } from "../fixtures/approver.js";
import type { Factors } from "../fixtures/chain.js";

type World = Awaited<ReturnType<typeof createPaired>>;

let world: World;
let second: Factors;
beforeEach(async () => {
  world = await createPaired({ retryForMs: 0 });
  second = { authenticator: world.approver.authenticator, device: await createSoftDevice() };
});

const newPasskey = () => createSoftAuthenticator({ rpId: site.rp_id, origin: site.origin });
const addDevice = (of: Factors, by?: Factors) =>
  world.approver.chain.change({ op: "add", subject: { device: of.device.keys } }, by);
const revokeDevice = (kid: string, by?: Factors) =>
  world.approver.chain.change({ op: "revoke", subject: { device_kid: kid } }, by);
const request = () => world.client.request({ tool: "delete", args: {} });

/** The devices that a new request is sealed for. */
async function sealedFor(devices: readonly Factors["device"][]): Promise<boolean[]> {
  const { held, rid } = await world.ask();
  return Promise.all(
    devices.map((device) =>
      device.open(held.sealed, rid).then(
        () => true,
        () => false,
      ),
    ),
  );
}

async function answerTo(by: Factors) {
  const { held, rid } = await world.ask();
  const approval = await world.approver.approve(held, by, world.approver.device);
  world.broker.yes(rid, world.broker.honestEvidence(rid, [approval]));
  return world.client.wait(rid);
}

describe("keys are added", () => {
  it("by a link that two pinned keys signed: sealed for, and good for a yes", async () => {
    await addDevice(second);
    expect(await sealedFor([world.approver.device, second.device])).toEqual([true, true]);
    expect(await answerTo(second)).toMatchObject({ status: "approved" });
    const reopened = await world.open();
    expect(await reopened.approvers()).toHaveLength(1);
  });

  it("by nothing that the broker vouches for: a key beside the chain counts for nothing", async () => {
    expect(await sealedFor([second.device])).toEqual([false]);
    expect(await answerTo(second)).toMatchObject({
      status: "integrity_mismatch",
      code: "device_unknown",
    });
  });

  it("by nobody whom it has not pinned with both factors, though the chain holds them", async () => {
    const { own, first } = await pairedBySecondPhone();
    const [third, fourth, fifth] = [await phoneOf(own), await phoneOf(own), await phoneOf(own)];
    await addDevice(third, first);
    await addDevice(fourth, { authenticator: own.authenticator, device: first.device });
    await addDevice(fifth, own);
    const devices = [own, first, third, fourth, fifth].map(({ device }) => device);
    expect(await sealedFor(devices)).toEqual([true, false, false, false, true]);
  });
});

const phoneOf = async ({ authenticator }: Factors): Promise<Factors> => ({
  authenticator,
  device: await createSoftDevice(),
});

/** The agent was paired by a second phone with a passkey of its own: it pinned these two keys and no others. */
async function pairedBySecondPhone() {
  const own: Factors = { authenticator: newPasskey(), device: await createSoftDevice() };
  world = await createPaired({ retryForMs: 0, approvers: 0 });
  const approver = await createApprover(site, world.broker.log.vkey);
  const { credential } = own.authenticator;
  await approver.chain.change({ op: "add", subject: { credential } });
  await approver.chain.change({ op: "add", subject: { device: own.device.keys } });
  await pairWith(world.client, world.broker, approver, { by: own });
  world = { ...world, approver };
  return { own, first: { authenticator: approver.authenticator, device: approver.device } };
}

describe("keys are taken away", () => {
  it("by whoever in the chain signed it, pinned or not", async () => {
    const { own, first } = await pairedBySecondPhone();
    const third = await phoneOf(own);
    await addDevice(third, own);
    expect(await sealedFor([own.device, third.device])).toEqual([true, true]);
    await revokeDevice(own.device.kid, first);
    expect(await sealedFor([own.device, third.device])).toEqual([false, true]);
    await revokeDevice(third.device.kid, first);
    expect(await request()).toEqual({
      status: "refused_by_policy",
      code: "approver_without_device",
    });
  });

  it("between the yes and its verification: the yes counts for nothing", async () => {
    await addDevice(second);
    const { held, rid } = await world.ask();
    const approval = await world.approver.approve(held, second, world.approver.device);
    world.broker.yes(rid, world.broker.honestEvidence(rid, [approval]));
    await revokeDevice(second.device.kid);
    expect(await world.client.wait(rid)).toMatchObject({
      status: "integrity_mismatch",
      code: "device_unknown",
    });
  });

  it("between the verification and the effect, too", async () => {
    await addDevice(second);
    const { held, rid } = await world.ask();
    const approval = await world.approver.approve(held, second, world.approver.device);
    world.broker.yes(rid, world.broker.honestEvidence(rid, [approval]));
    expect(await world.client.wait(rid)).toMatchObject({ status: "approved" });
    await revokeDevice(second.device.kid);
    expect(await world.client.claim(rid)).toMatchObject({ status: "integrity_mismatch" });
  });

  it("for good: what a broker shows without the revocation is older than what was seen", async () => {
    await addDevice(second);
    await revokeDevice(second.device.kid);
    await world.ask();
    world.approver.chain.cut(1);
    expect(await request()).toMatchObject({
      status: "integrity_mismatch",
      code: "chain_rolled_back",
    });
    expect(await (await world.open()).request({ tool: "t", args: {} })).toMatchObject({
      code: "chain_rolled_back",
    });
  });
});

describe("a chain stops the agent", () => {
  const mismatch = async (code: string) =>
    expect(await request()).toMatchObject({ status: "integrity_mismatch", code });

  it("that forks from what it saw, or from what P names", async () => {
    await addDevice(second);
    await world.ask();
    world.approver.chain.cut(1);
    await addDevice(await phoneOf(second));
    await mismatch("chain_fork");
    expect(world.broker.requests.size).toBe(1);
    const other = await createApprover(site);
    world = await createPaired({ retryForMs: 0 });
    const { chains } = world.broker;
    const honest = chains.get(world.approver.id)?.();
    chains.set(world.approver.id, () => ({ ...honest, ...other.chain.shown() }) as never);
    await mismatch("chain_invalid");
  });

  it("that has a gap, or a link out of its place", async () => {
    const { chain } = world.approver;
    await chain.change({ op: "add", subject: { device: second.device.keys } }, undefined, {
      seq: 1,
      head: chain.end().head,
    });
    await mismatch("chain_invalid");
    chain.cut(1);
    await chain.change({ op: "add", subject: { device: second.device.keys } }, undefined, {
      seq: 0,
      head: randomNonce(),
    });
    await mismatch("chain_invalid");
  });

  it("that one factor alone signed, or keys that are not in it", async () => {
    const { approver } = world;
    const stranger: Factors = { authenticator: newPasskey(), device: await createSoftDevice() };
    await addDevice(second, { ...approver, device: stranger.device });
    await mismatch("device_signature_invalid");
    approver.chain.cut(1);
    await addDevice(second, { ...approver, authenticator: stranger.authenticator });
    await mismatch("credential_unknown");
  });

  it("that a revoked key went on signing, or that brings a revoked key back", async () => {
    await addDevice(second);
    await revokeDevice(second.device.kid);
    await addDevice(await phoneOf(second), second);
    await mismatch("device_signature_invalid");
    world.approver.chain.cut(1);
    await addDevice(second);
    await mismatch("chain_invalid");
  });

  it("that adds a key which is pinned for another approver", async () => {
    world = await createPaired({ retryForMs: 0, approvers: 2 });
    const [, other] = world.approvers;
    if (other) await addDevice({ authenticator: other.authenticator, device: other.device });
    await mismatch("chain_invalid");
  });

  it("in which one byte is another", async () => {
    await addDevice(second);
    const honest = world.approver.chain.shown().chain;
    const approver = world.approver.id;
    const before = world.broker.chains.get(approver)?.();
    for (const [index, link] of honest.entries()) {
      for (const position of [3, 40, 200, link.statement.length - 9]) {
        const flipped = link.statement[position] === "A" ? "B" : "A";
        const statement =
          link.statement.slice(0, position) + flipped + link.statement.slice(position + 1);
        const chain = honest.map((each, at) => (at === index ? { ...each, statement } : each));
        world.broker.chains.set(approver, () => ({ ...before, chain }) as never);
        expect(await request()).toMatchObject({ status: "integrity_mismatch" });
      }
    }
  });
});

it("without its chain an approver is not asked, and a yes waits", async () => {
  const { held, rid } = await world.ask();
  world.broker.yes(rid, world.broker.honestEvidence(rid, [await world.approver.approve(held)]));
  const honest = world.broker.chains.get(world.approver.id);
  world.broker.chains.delete(world.approver.id);
  expect(await request()).toMatchObject({ status: "unreachable", code: "invalid_response" });
  expect(await world.client.wait(rid)).toMatchObject({ status: "unreachable" });
  if (honest) world.broker.chains.set(world.approver.id, honest);
  expect(await world.client.wait(rid)).toMatchObject({ status: "approved" });
});

it("another process that learned less takes nothing back, and unpairing ends it all", async () => {
  const other = await world.open();
  await addDevice(second);
  await world.ask();
  const behind = world.approver.chain.shown();
  await revokeDevice(second.device.kid);
  await world.ask();
  world.broker.chains.set(world.approver.id, () => ({ ...behind }) as never);
  expect(await other.request({ tool: "t", args: {} })).not.toMatchObject({ status: "pending" });
  await other.unpair(world.approver.id);
  expect(await request()).toMatchObject({ code: "not_paired" });
});
