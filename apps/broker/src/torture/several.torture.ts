import { rm } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { type Balancer, startBalancer } from "@countersign/test-kit/balancer";
import { type BrokerProcess, startBrokerProcess } from "@countersign/test-kit/broker-process";
import { createDatabase, type TestDatabase } from "@countersign/test-kit/postgres";
import { afterAll, beforeAll, expect, it } from "vitest";
import { migrateDatabase } from "../db/migrate.js";
import { readAgentEvents } from "../testing/event-reader.js";
import { migrate } from "../testing/harness.js";
import {
  keepAsking,
  newLedger,
  startWriters,
  turnsPerSecond,
  type Writer,
} from "../testing/load.js";
import { nextSchema } from "../testing/next-schema.js";
import { audit, long, printTable, progress, report } from "./report.js";

// Three brokers on one database, behind what a usual proxy does; calls take turns.

const requestsPerSecond = 50;

/** Each may decide 120 times a minute, the ceremony counted too: a third of the long form's could not answer 50 requests a second. */
const people = long ? 96 : 8;
/** Who are at work where nothing bounds how much they ask. */
const unbounded = 32;

let database: TestDatabase;
let balancer: Balancer;
let brokers: BrokerProcess[];
let writers: Writer[];

const startOne = (port?: number) =>
  startBrokerProcess({
    DATABASE_URL: database.url,
    PUBLIC_URL: `http://localhost:${balancer.port}`,
    TRUSTED_PROXIES: "127.0.0.1",
    ...(port === undefined ? {} : { PORT: String(port) }),
  });

beforeAll(async () => {
  database = await createDatabase(migrate);
  let turn = 0;
  balancer = await startBalancer(() => {
    turn += 1;
    return brokers.map((_, index) => brokers[(turn + index) % brokers.length]?.port ?? 0);
  });
  brokers = [];
  for (let count = 0; count < 3; count++) brokers.push(await startOne());
  const last = brokers.at(-1) as BrokerProcess;
  writers = await startWriters(last, people);
});
afterAll(async () => {
  for (const broker of brokers) await broker.stop();
  await balancer.close();
  await database.drop();
  printTable();
});

it("rolling restart of three brokers, under load, with open streams", async () => {
  const ledger = newLedger();
  let over = false;
  let listening = true;
  const origin = `http://localhost:${balancer.port}`;
  const heard = new Set<string>();
  let reconnects = 0;
  /** A stream that is opened again, from the last event on, whenever it ends. */
  const listen = async ({ agent }: Writer): Promise<void> => {
    let last = 0;
    while (listening) {
      const reader = await readAgentEvents(origin, agent, last).catch(() => undefined);
      const watch = setInterval(() => !listening && reader?.close(), 100);
      await reader?.ended;
      clearInterval(watch);
      reconnects += 1;
      for (const { id, data } of reader?.events ?? []) {
        last = Math.max(last, id ?? 0);
        heard.add((data as { rid?: string }).rid ?? "");
      }
      await sleep(50);
    }
  };
  const turn = turnsPerSecond(requestsPerSecond);
  const began = performance.now();
  const load = Promise.all(writers.map((writer) => keepAsking(writer, ledger, () => over, turn)));
  const streams = Promise.all(writers.map(listen));
  load.catch(() => {});
  const rounds = long ? 30 : 3;
  for (let round = 0; round < rounds; round++) {
    progress("rolling restart of 3 brokers", round, rounds);
    await sleep(long ? 19_000 : 1500);
    const index = round % brokers.length;
    const port = brokers[index]?.port;
    expect(await brokers[index]?.stop()).toBe(0);
    brokers[index] = await startOne(port);
  }
  await sleep(1500);
  over = true;
  // Whatever is not done after 25 s of retries fails here.
  await load;
  const seconds = (performance.now() - began) / 1000;
  await sleep(2000);
  listening = false;
  await streams;
  expect(reconnects).toBeGreaterThan(writers.length);
  for (const rid of ledger.requested) expect(heard, `${rid} was never heard of`).toContain(rid);
  const rate = (count: number) => (count / seconds).toFixed(1);
  const remark = `${rate(ledger.requested.size)} requests/s, ${rate(ledger.calls)} calls/s; failed after retries: 0; streams opened again: ${reconnects}`;
  const finding = await audit(database.url, ledger);
  report("rolling restart of 3 brokers", rounds, finding, [ledger.longestWaitMilliseconds], remark);
});

it("brokers of this version on the schema of the next, under load and started anew", async () => {
  const ledger = newLedger();
  let over = false;
  const few = writers.slice(0, unbounded);
  const load = Promise.all(few.map((writer) => keepAsking(writer, ledger, () => over)));
  load.catch(() => {});
  await sleep(1500);
  const folder = await nextSchema();
  await migrateDatabase(database.url, folder);
  await rm(folder, { recursive: true });
  await sleep(1500);
  for (const [index, broker] of brokers.entries()) {
    expect(await broker.stop()).toBe(0);
    brokers[index] = await startOne(broker.port);
  }
  await sleep(1500);
  over = true;
  await load;
  const remark = `calls refused for a while: ${[...ledger.failures.values()].reduce((sum, count) => sum + count, 0)}`;
  const finding = await audit(database.url, ledger);
  report("this version on the next schema", 1, finding, [ledger.longestWaitMilliseconds], remark);
});

it("every call delivered twice, to one broker after the other", async () => {
  balancer.duplicate();
  const ledger = newLedger();
  let over = false;
  const few = writers.slice(0, unbounded);
  const load = Promise.all(few.map((writer) => keepAsking(writer, ledger, () => over)));
  load.catch(() => {});
  await sleep(long ? 60_000 : 4000);
  over = true;
  await load;
  expect(ledger.reported.size).toBeGreaterThan(0);
  report("every call delivered twice", ledger.reported.size, await audit(database.url, ledger));
});
