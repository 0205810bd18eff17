import { createRecoveryCode, randomId, randomNonce } from "@countersign/shared";
import { createSoftPhone, type SoftPhone } from "@countersign/test-kit/soft-phone";
import { afterEach, beforeEach, expect, it } from "vitest";
import { attackedWorld, codeOf, type World } from "./testing/attack.js";

let world: World;
let phone: SoftPhone;
let codes: string[];
beforeEach(async () => {
  world = await attackedWorld();
  phone = world.phone;
  codes = await phone.keys.makeRecoveryCodes();
});
afterEach(() => world.close());

const code = (index: number): string => codes[index] ?? "";
const stranger = (): Promise<SoftPhone> => createSoftPhone({ origin: world.broker.site.origin });
const letADayPass = () => world.sql`update recovery set ready_at = now()`;

it("codes are stored by hash, counted, and end with the next ones", async () => {
  expect(await phone.keys.recovery()).toEqual({ codes_left: 10 });
  const rows = JSON.stringify(await world.sql`select * from recovery_code`);
  for (const each of codes) expect(rows).not.toContain(each.replaceAll("-", ""));
  expect(world.logged.join("\n")).not.toContain(code(0));
  await phone.keys.makeRecoveryCodes();
  expect(await codeOf((await stranger()).keys.beginRecovery(code(0)))).toBe("recovery_invalid");
});

it("a start withdraws what is open, is seen by every device, and waits for a day", async () => {
  const { rid } = await world.agent.request();
  const lost = await stranger();
  await lost.keys.beginRecovery(code(0).toLowerCase().replaceAll("-", " "));
  expect((await world.agent.status(rid)).state).toBe("canceled");
  const { pending, codes_left } = await phone.keys.recovery();
  expect(codes_left).toBe(9);
  expect((pending?.ready_at ?? 0) - (pending?.started_at ?? 0)).toBe(24 * 3600);
  expect(await codeOf(lost.keys.finishRecovery(code(0)))).toBe("recovery_waiting");
  expect(await codeOf(lost.keys.beginRecovery(code(1)))).toBe("recovery_waiting");
  expect(await codeOf(lost.me())).toBe("unauthenticated");
});

it("any live device stops it, and its code is spent", async () => {
  const lost = await stranger();
  await lost.keys.beginRecovery(code(0));
  const { pending } = await phone.keys.recovery();
  await phone.keys.stopRecovery(pending?.recovery_id ?? "");
  expect(await codeOf(lost.keys.finishRecovery(code(0)))).toBe("recovery_invalid");
  expect((await phone.keys.recovery()).pending).toBeUndefined();
});

it("after the wait it gives the account, a chain of its own, and power over no agent", async () => {
  const lost = await stranger();
  await lost.keys.beginRecovery(code(0));
  await letADayPass();
  await lost.keys.finishRecovery(code(0));
  const { approver, devices, credentials } = await lost.me();
  expect(approver).toBe(phone.approver());
  const live = [...devices, ...credentials].filter(({ revoked_at }) => revoked_at === undefined);
  expect(live).toHaveLength(2);
  expect((await lost.keys.chain()).seq).toBe(0);
  expect(await lost.pairedAgents()).toEqual([]);
  expect(await codeOf(phone.me())).toBe("unauthenticated");
  expect(await codeOf(phone.signIn())).toBe("credential_unknown");
  // The agent is nobody's any more: it has to be paired anew, at its own machine.
  const prepared = await world.agent.prepare();
  expect((await world.agent.authorize(prepared)).status).toBe(401);
  expect(await codeOf(lost.keys.beginRecovery(code(1)))).toBe("recovery_invalid");
  await world.agent.pairWith(lost);
  expect((await lost.pairedAgents()).map(({ client_id }) => client_id)).toEqual([
    world.agent.clientId,
  ]);
});

it("gives no account to a chain that names somebody else", async () => {
  const lost = await stranger();
  await lost.keys.beginRecovery(code(0));
  await letADayPass();
  expect(await codeOf(lost.keys.finishRecovery(code(0), randomId()))).toBe("invalid_binding");
  expect((await phone.me()).approver).toBe(phone.approver());
});

it("codes are guessed twenty times a minute and no more, whichever call takes them", async () => {
  const lost = await stranger();
  const completion = { register_nonce: randomNonce(), registration: {}, root: {} };
  let refused = 0;
  for (let guess = 0; guess < 60; guess++) {
    const answer = await (guess % 2 === 0
      ? lost.call("POST", "/app/recoveries", { code: createRecoveryCode() })
      : lost.call("POST", "/app/recoveries/completion", { code: code(0), ...completion }));
    if (answer.status === 429) refused += 1;
    else expect(answer.status).toBeGreaterThanOrEqual(400);
  }
  expect(refused).toBeGreaterThan(30);
});

it("a code opens it once: two at the same moment make one account", async () => {
  const [one, two] = [await stranger(), await stranger()];
  await one.keys.beginRecovery(code(0));
  await letADayPass();
  const ended = await Promise.all(
    [one, two].map((each) => codeOf(each.keys.finishRecovery(code(0)))),
  );
  expect(ended.filter((each) => each === "accepted")).toHaveLength(1);
  expect(await codeOf(one.keys.finishRecovery(code(0)))).not.toBe("accepted");
});

it("new codes take a passkey and a device: a session alone makes none and stops nothing", async () => {
  const lost = await stranger();
  await lost.keys.beginRecovery(code(0));
  const { pending } = await phone.keys.recovery();
  const other = await createSoftPhone({ origin: world.broker.site.origin, syncedWith: phone });
  await other.signIn();
  const bare = await other.call("POST", "/app/recovery", {
    statement: "",
    device_signature: "A".repeat(86),
  });
  expect(bare.status).toBeGreaterThanOrEqual(400);
  expect((await phone.keys.recovery()).pending).toEqual(pending);
});
