import { setTimeout as sleep } from "node:timers/promises";
import { type BrokerProcess, startBrokerProcess } from "@countersign/test-kit/broker-process";
import { startPostgres, type TestServer } from "@countersign/test-kit/postgres";
import { startTcpProxy, type TcpProxy } from "@countersign/test-kit/tcp-proxy";
import { afterAll, beforeAll, expect, it } from "vitest";
import { carryOne, newLedger, startWriters, type Writer } from "../testing/load.js";
import { audit, long, printTable, progress, report } from "./report.js";
import { underLoad } from "./under-load.js";

// A PostgreSQL of its own, durable as in production, behind a line that breaks.

let postgres: TestServer;
let line: TcpProxy;
let broker: BrokerProcess;
let writers: Writer[];

beforeAll(async () => {
  postgres = await startPostgres();
  const directory = decodeURIComponent(new URL(postgres.url).hostname);
  line = await startTcpProxy(() => ({ path: `${directory}/.s.PGSQL.5432` }));
  broker = await startBrokerProcess({
    DATABASE_URL: `postgres://postgres@127.0.0.1:${line.port}/postgres`,
    TRUSTED_PROXIES: "127.0.0.1",
  });
  writers = await startWriters(broker, 8);
});
afterAll(async () => {
  await broker.stop();
  await line.close();
  await postgres.stop();
  printTable();
});

it("PostgreSQL killed under 16 writers", () =>
  underLoad(
    { broker, databaseUrl: postgres.url, writers },
    "PostgreSQL killed under 16 writers",
    long ? 20 : 2,
    async () => {
      await postgres.kill();
      await sleep(300);
    },
    () => postgres.restart(),
  ));

it.each<[string, () => void]>([
  ["closed", () => line.cut()],
  ["reset", () => line.cut("reset")],
  [
    "half open: taken, and never answered",
    () => {
      line.halfOpen();
      line.cut();
    },
  ],
  ["deaf towards the database", () => line.block("up")],
  ["dumb from the database", () => line.block("down")],
  ["silent both ways", () => line.block("up", "down")],
  ["late by 300 ms", () => line.delay(300)],
])("database line %s", (name, strike) =>
  underLoad(
    { broker, databaseUrl: postgres.url, writers },
    `database line ${name}`,
    long ? 20 : 1,
    async () => {
      strike();
      await sleep(long ? 3000 : 1000);
    },
    () => {
      line.heal();
      line.cut();
    },
  ),
);

it.each([
  ["context", /insert into "sealed_context"/],
  ["request", /insert into "authorization_request"/],
  ["ceremony", /insert into "ceremony"/],
  ["approval", /approvals = r\.approvals \+ 1/],
  ["redemption", /redemption_key_hash = /],
  ["outcome", /insert into "outcome"/],
  ["used proofs", /insert into "used_proof"/],
])("the reply to a COMMIT swallowed: %s", async (name, words) => {
  const rounds = long ? 100 : 2;
  const ledger = newLedger();
  for (let round = 0; round < rounds; round++) {
    progress(`COMMIT reply swallowed: ${name}`, round, rounds);
    // On a connection that prepared it before, a statement goes without its words.
    line.cut();
    const carriesOut = (piece: Buffer) => words.test(piece.toString("latin1"));
    const swallowed = line.swallowReply(carriesOut).then(() => true);
    // In turns: nobody decides as often as the limits count.
    const carried = carryOne(writers[round % writers.length] as Writer, ledger, false);
    const happened = await Promise.race([swallowed, carried.then(() => false)]);
    await carried;
    expect(happened, `${name} was never seen`).toBe(true);
  }
  expect(ledger.reported.size).toBe(rounds);
  report(`COMMIT reply swallowed: ${name}`, rounds, await audit(postgres.url, ledger));
});
