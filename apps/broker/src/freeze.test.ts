import type { SignedFreeze } from "@countersign/shared";
import type { SoftPhone } from "@countersign/test-kit/soft-phone";
import { createSoftPhone } from "@countersign/test-kit/soft-phone";
import { afterEach, beforeEach, expect, it } from "vitest";
import { attackedWorld, codeOf, flip, positions, refusalOf, type World } from "./testing/attack.js";
import { enrolledPhone } from "./testing/harness.js";

let world: World;
let phone: SoftPhone;
let agentJkt: string;
beforeEach(async () => {
  world = await attackedWorld();
  phone = world.phone;
  agentJkt = world.agent.clientId;
});
afterEach(() => world.close());

it("denies what is pending and approved, each with a leaf, and tells the agent by the signed F", async () => {
  const pending = await world.agent.request();
  const approved = await world.agent.request();
  await phone.approve(approved.rid);
  await phone.keys.freeze(agentJkt);
  for (const { rid } of [pending, approved]) {
    const { status, body } = await world.agent.poll(rid);
    expect([status, body["error"], body["code"]]).toEqual([400, "access_denied", "frozen"]);
    expect(body["freeze"]).toHaveProperty("device_signature");
    const leaves = await world.sql`select 1 from leaf where rid = ${rid} and kind = 'deny'`;
    expect(leaves).toHaveLength(1);
  }
  expect(await world.sql`select 1 from leaf where kind = 'freeze'`).toHaveLength(1);
});

it("refuses every new request until the same approver lifts it, with Face ID", async () => {
  await phone.keys.freeze(agentJkt);
  const prepared = await world.agent.prepare();
  await world.agent.upload(prepared);
  expect(await refusalOf(world.agent.authorize(prepared))).toBe("frozen");
  await phone.keys.unfreeze(agentJkt);
  expect((await world.agent.authorize(prepared)).status).toBe(200);
});

it("stops the agent for every approver, and only whoever froze it lifts it", async () => {
  const other = await enrolledPhone(world.broker, "Bob", phone);
  await world.agent.pairWith(other);
  const { rid } = await world.agent.request({ approvers: [other.approver()] });
  await phone.keys.freeze(agentJkt);
  expect((await world.agent.status(rid)).state).toBe("denied");
  expect(await codeOf(other.keys.unfreeze(agentJkt))).toBe("freeze_stale");
  const signed = await phone.keys.signFreeze(agentJkt, 2, await phone.nonce("freeze"));
  expect(await codeOf(other.keys.putFreeze(agentJkt, signed))).toBe("invalid_binding");
  const prepared = await world.agent.prepare({ approvers: [other.approver()] });
  await world.agent.upload(prepared);
  expect(await refusalOf(world.agent.authorize(prepared))).toBe("frozen");
});

it("takes F only in its order: no repeat, no jump, no lift of what is not frozen", async () => {
  const sign = async (seq: number, lifts: boolean): Promise<SignedFreeze> =>
    phone.keys.signFreeze(agentJkt, seq, lifts ? await phone.nonce("freeze") : undefined);
  const put = async (freeze: SignedFreeze) => codeOf(phone.keys.putFreeze(agentJkt, freeze));
  expect(await put(await sign(1, true))).toBe("freeze_stale");
  expect(await put(await sign(2, false))).toBe("freeze_stale");
  const first = await sign(1, false);
  expect(await put(first)).toBe("accepted");
  expect(await put(first)).toBe("accepted");
  expect(await put(await sign(2, false))).toBe("freeze_stale");
  expect(await put(await sign(3, true))).toBe("freeze_stale");
  expect(await put(await sign(2, true))).toBe("accepted");
  expect(await put(first)).toBe("freeze_stale");
  expect(
    await world.sql`select 1 from agent_freeze where seq = 2 and op = 'unfreeze'`,
  ).toHaveLength(1);
});

it("lifts by nothing less than device, passkey and a fresh nonce over the same bytes", async () => {
  await phone.keys.freeze(agentJkt);
  const lift = await phone.keys.signFreeze(agentJkt, 2, await phone.nonce("freeze"));
  const other = await phone.keys.signFreeze(agentJkt, 2, await phone.nonce("freeze"));
  const put = async (freeze: SignedFreeze) => codeOf(phone.keys.putFreeze(agentJkt, freeze));
  const { assertion: _, ...without } = lift;
  expect(await put(without)).toBe("freeze_invalid");
  expect(await put({ ...lift, assertion: other.assertion as never })).toBe("assertion_invalid");
  expect(await put({ ...lift, device_signature: other.device_signature })).toBe(
    "device_signature_invalid",
  );
  for (const position of positions(lift.statement, 12)) {
    expect(await put({ ...lift, statement: flip(lift.statement, position) })).not.toBe("accepted");
  }
  await world.sql`delete from nonce`;
  expect(await put(lift)).toBe("nonce_stale");
});

it("nothing that was signed for another purpose or by a revoked device freezes or lifts", async () => {
  const bytes = (await phone.keys.signFreeze(agentJkt, 1)).statement;
  const denial = {
    statement: bytes,
    device_signature: await phone.device.sign("deny", Buffer.from(bytes, "base64url") as never),
  };
  expect(await codeOf(phone.keys.putFreeze(agentJkt, denial))).toBe("device_signature_invalid");
  const second = await createSoftPhone({ origin: world.broker.site.origin, syncedWith: phone });
  const offered = await second.keys.offerLink();
  await phone.keys.addByLink(offered.link);
  await offered.added();
  await second.signIn();
  const freeze = await second.keys.signFreeze(agentJkt, 1);
  await phone.keys.revokeDevice(second.device.kid);
  expect(await codeOf(phone.keys.putFreeze(agentJkt, freeze))).toBe("device_unknown");
});

it("a request that is asked while the agent is frozen is denied or refused, never left open", async () => {
  for (let round = 0; round < 12; round++) {
    const prepared = await world.agent.prepare();
    await world.agent.upload(prepared);
    const seq = await phone.keys.nextFreezeSeq(agentJkt);
    const freeze = await phone.keys.signFreeze(agentJkt, seq);
    await Promise.all([world.agent.authorize(prepared), phone.keys.putFreeze(agentJkt, freeze)]);
    const open =
      await world.sql`select state from authorization_request where state in ('pending', 'approved')`;
    expect(open).toHaveLength(0);
    await phone.keys.unfreeze(agentJkt);
  }
});

it("an approval that races with a freeze is never redeemed after it", async () => {
  for (let round = 0; round < 6; round++) {
    const { rid } = await world.agent.request();
    const approval = await phone.signApproval(rid);
    const freeze = await phone.keys.signFreeze(agentJkt, await phone.keys.nextFreezeSeq(agentJkt));
    await Promise.all([
      codeOf(phone.decide(rid, approval)),
      phone.keys.putFreeze(agentJkt, freeze),
    ]);
    expect((await world.agent.poll(rid)).body["error"]).toBe("access_denied");
    await phone.keys.unfreeze(agentJkt);
  }
});

it("the agent's event stream tells of a freeze, and of one that came before it listened", async () => {
  const read = async (): Promise<string> => {
    const stream = await world.agent.call("GET", "/v1/events");
    const reader = stream.body?.getReader();
    const decoder = new TextDecoder();
    let text = "";
    while (!text.includes("event: freeze")) text += decoder.decode((await reader?.read())?.value);
    await reader?.cancel();
    return text;
  };
  const live = read();
  await phone.keys.freeze(agentJkt);
  expect(await live).toContain(phone.approver());
  expect(await read()).toContain(phone.approver());
});
