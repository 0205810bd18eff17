import { setTimeout as sleep } from "node:timers/promises";
import { randomNonce } from "@countersign/shared";
import {
  type BrokerProcess,
  buildWithFaults,
  freePort,
  startBrokerProcess,
} from "@countersign/test-kit/broker-process";
import { createDatabase, type TestDatabase } from "@countersign/test-kit/postgres";
import { afterAll, beforeAll, expect, it } from "vitest";
import { migrate } from "../testing/harness.js";
import {
  carryOne,
  newLedger,
  ok,
  polled,
  startWriters,
  until,
  type Writer,
} from "../testing/load.js";
import { audit, isReady, long, printTable, progress, report, timeUntil } from "./report.js";

// The broker ends itself by SIGKILL just before and just after each statement that changes something for good.

const rounds = long ? 100 : 1;

let database: TestDatabase;
let port: number;
let broker: BrokerProcess;
let writer: Writer;

const startOn = (fault?: string) =>
  startBrokerProcess({
    DATABASE_URL: database.url,
    PORT: String(port),
    TRUSTED_PROXIES: "127.0.0.1",
    ...(fault === undefined ? {} : { FAULT: fault }),
  });

beforeAll(async () => {
  await buildWithFaults();
  database = await createDatabase(migrate);
  port = await freePort();
  broker = await startOn();
  [writer] = (await startWriters(broker, 1)) as [Writer];
});
afterAll(async () => {
  await broker.stop();
  await database.drop();
  printTable();
});

/** What a client does until it is over, however often the broker is away. */
const drives: Record<string, (ledger: ReturnType<typeof newLedger>) => Promise<void>> = {
  deny: (ledger) => carryOne(writer, ledger, true),
  cancel: async (ledger) => {
    const { agent } = writer;
    const { rid } = await askFor(ledger, 120);
    await until(ledger, async () => ok(await agent.call("POST", `/v1/requests/${rid}/cancel`, {})));
    expect((await agent.status(rid)).state).toBe("canceled");
  },
  expire: async (ledger) => {
    const { rid } = await askFor(ledger, 6);
    const body = await until(ledger, () => polled(writer.agent, rid, randomNonce()));
    if (body["code"] !== "expired") ledger.denied.add(`${rid} ${JSON.stringify(body)}`);
  },
};
const carry = (ledger: ReturnType<typeof newLedger>) => carryOne(writer, ledger, false);

async function askFor(ledger: ReturnType<typeof newLedger>, seconds: number) {
  const request = await writer.agent.prepare({ seconds });
  await until(ledger, async () => ok(await writer.agent.upload(request)));
  await until(ledger, async () => ok(await writer.agent.authorize(request)));
  ledger.requested.add(request.rid);
  return request;
}

const steps = [
  "context",
  "request",
  "open",
  "approve",
  "deny",
  "redeem",
  "outcome",
  "cancel",
  "expire",
];
const points = steps.flatMap((step) => [`${step}:before`, `${step}:after`]);

it.each(points)("broker killed at %s", async (point) => {
  const ledger = newLedger();
  const recoveries: number[] = [];
  const drive = drives[point.split(":")[0] ?? ""] ?? carry;
  for (let round = 0; round < rounds; round++) {
    if (round % 10 === 0) progress(`broker killed, ${point}`, round, rounds);
    await broker.stop();
    broker = await startOn(point);
    const work = drive(ledger);
    // What runs out is told to whoever asks before it is settled.
    const inVain = work.then(() => sleep(10_000)).then(() => false);
    const reached = await Promise.race([broker.ended.then(() => true), inVain]);
    expect(reached, "the fault was reached").toBe(true);
    const began = performance.now();
    broker = await startOn();
    await timeUntil(isReady(port));
    recoveries.push(performance.now() - began);
    await work;
  }
  report(
    `broker killed, ${point.replace(":", ", ")}`,
    rounds,
    await audit(database.url, ledger),
    recoveries,
  );
});
