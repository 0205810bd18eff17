import { setTimeout as sleep } from "node:timers/promises";
import { type Balancer, startBalancer } from "@countersign/test-kit/balancer";
import { type BrokerProcess, startBrokerProcess } from "@countersign/test-kit/broker-process";
import { createDatabase, type TestDatabase } from "@countersign/test-kit/postgres";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readAgentEvents } from "../testing/event-reader.js";
import { migrate } from "../testing/harness.js";
import { keepAsking, newLedger, startWriters, type Writer } from "../testing/load.js";
import { audit, long, printTable, report } from "./report.js";

// Three brokers on one database, behind what a usual proxy does; calls take turns.

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
  writers = await startWriters(last, 8);
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
  const load = Promise.all(writers.map((writer) => keepAsking(writer, ledger, () => over)));
  const streams = Promise.all(writers.map(listen));
  load.catch(() => {});
  const rounds = long ? 30 : 3;
  for (let round = 0; round < rounds; round++) {
    await sleep(long ? 19_000 : 1500);
    const index = round % brokers.length;
    const port = brokers[index]?.port;
    expect(await brokers[index]?.stop()).toBe(0);
    brokers[index] = await startOne(port);
  }
  await sleep(1500);
  over = true;
  await load;
  await sleep(2000);
  listening = false;
  await streams;
  expect(reconnects).toBeGreaterThan(writers.length);
  for (const rid of ledger.requested) expect(heard, `${rid} was never heard of`).toContain(rid);
  report("rolling restart of 3 brokers", rounds, await audit(database.url, ledger), [
    ledger.slowestCallMilliseconds,
  ]);
});

it("every call delivered twice, to one broker after the other", async () => {
  balancer.duplicate();
  const ledger = newLedger();
  let over = false;
  const load = Promise.all(writers.map((writer) => keepAsking(writer, ledger, () => over)));
  load.catch(() => {});
  await sleep(long ? 60_000 : 4000);
  over = true;
  await load;
  expect(ledger.reported.size).toBeGreaterThan(0);
  report("every call delivered twice", ledger.reported.size, await audit(database.url, ledger));
});
