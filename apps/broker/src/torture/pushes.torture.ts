import { randomNonce } from "@countersign/shared";
import {
  type PushAnswer,
  type PushService,
  startPushService,
} from "@countersign/test-kit/push-service";
import type { SoftAgent } from "@countersign/test-kit/soft-agent";
import type { SoftPhone } from "@countersign/test-kit/soft-phone";
import { afterAll, beforeAll, expect, it } from "vitest";
import { pairedWorld, startTestBroker, type TestBroker } from "../testing/harness.js";
import { newLedger, ok, polled, turnsPerSecond } from "../testing/load.js";
import { subscribe } from "../testing/push-world.js";
import { audit, long, printTable, progress, report, timeUntil } from "./report.js";

// No alert ever arrives. Who looks at the inbox finds what waits, and nothing waits for a push service.

const rounds = long ? 100 : 10;

let service: PushService;
let broker: TestBroker;
let phone: SoftPhone;
let agent: SoftAgent;

beforeAll(async () => {
  service = await startPushService();
  broker = await startTestBroker({
    ...{ pushHosts: service.host, egress: service.agent },
    variables: { ALERTS_PER_AGENT: "1000" },
  });
  ({ phone, agent } = await pairedWorld(broker));
});
afterAll(async () => {
  await broker.drop();
  await service.close();
  printTable();
});

it.each<[string, PushAnswer]>([
  ["taken and never answered", "hangs"],
  ["hung up on", "hangs up"],
  ["answered by 500", { status: 500 }],
  ["answered without end", "never stops talking"],
])("every push %s", async (how, lost) => {
  const fault = `every push ${how}`;
  const browser = service.newSubscription();
  await ok(await subscribe(phone, browser.json));
  browser.answers.push(...Array.from({ length: 10_000 }, () => lost));
  const ledger = newLedger();
  let slowestMilliseconds = 0;
  // No faster than one person may go on answering.
  const turn = turnsPerSecond(1);
  for (let round = 0; round < rounds; round++) {
    progress(fault, round, rounds);
    await turn();
    const began = performance.now();
    const request = await agent.request();
    const { rid } = request;
    ledger.requested.add(rid);
    expect((await phone.inbox()).map((entry) => entry.rid)).toContain(rid);
    if (round % 4 === 3) {
      await phone.deny(rid);
      ledger.denied.add(rid);
      continue;
    }
    await phone.approve(rid);
    ledger.approved.add(rid);
    const found = await polled(agent, rid, randomNonce());
    expect(found).toHaveProperty("evidence");
    ledger.redeemed.add(rid);
    const outcome = await agent.outcomeOf(request);
    await ok(await agent.call("POST", `/v1/requests/${rid}/outcome`, { outcome }));
    ledger.reported.add(rid);
    slowestMilliseconds = Math.max(slowestMilliseconds, performance.now() - began);
  }
  browser.answers.length = 0;
  const { rid } = await agent.request();
  const recovery = await timeUntil(async () =>
    browser.received.some(({ message }) => JSON.stringify(message).includes(rid)),
  );
  await phone.deny(rid);
  const remark = `slowest request to its end: ${(slowestMilliseconds / 1000).toFixed(1)} s`;
  report(fault, rounds, await audit(broker.databaseUrl, ledger), [recovery], remark);
});
