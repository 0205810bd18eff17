import { readFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { type BrokerProcess, startBrokerProcess } from "@countersign/test-kit/broker-process";
import { createDatabase, type TestDatabase } from "@countersign/test-kit/postgres";
import { afterAll, beforeAll, expect, it } from "vitest";
import { migrate } from "../testing/harness.js";
import { carryOne, newLedger, startWriters, turnsPerSecond, type Writer } from "../testing/load.js";
import { audit, long, percentile, printTable, progress, report } from "./report.js";

// People whose apps read nothing of their streams, and strangers who never finish their headers, beside honest clients.

const readers = long ? 500 : 96;
const strangers = long ? 2000 : 400;
const seconds = long ? 120 : 8;
const streamsEach = 8;
const honest = 4;
/** Of a process that makes garbage all the time: more than this in the window is a leak, not its breathing. */
const mostGrowthMiB = 64;

let database: TestDatabase;
let broker: BrokerProcess;
let writers: Writer[];

beforeAll(async () => {
  database = await createDatabase(migrate);
  broker = await startBrokerProcess({ DATABASE_URL: database.url, TRUSTED_PROXIES: "127.0.0.1" });
  writers = await startWriters(broker, Math.ceil(readers / streamsEach));
});
afterAll(async () => {
  await broker.stop();
  await database.drop();
  printTable();
});

/** Never says more than this of its headers, and comes again when it is thrown out. */
function startStrangers(count: number): { thrownOut(): number; close(): void } {
  const sockets = new Set<Socket>();
  let over = false;
  let thrownOut = 0;
  const open = () => {
    const socket = connect(broker.port, "127.0.0.1");
    sockets.add(socket);
    socket.write("GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ");
    socket.resume();
    socket.on("error", () => {});
    socket.on("close", () => {
      sockets.delete(socket);
      if (over) return;
      thrownOut += 1;
      open();
    });
  };
  for (let index = 0; index < count; index++) open();
  return {
    thrownOut: () => thrownOut,
    close() {
      over = true;
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Streams that are opened and not read. What arrives stays in the system's buffers, and then in the broker's. */
async function openUnread(): Promise<Response[]> {
  const opened: Response[] = [];
  for (const { phone } of writers) {
    for (let stream = 0; stream < streamsEach && opened.length < readers; stream++) {
      const answer = await phone.call("GET", "/app/events");
      expect(answer.status).toBe(200);
      opened.push(answer);
    }
  }
  return opened;
}

/** Honest people's requests, each to its end, for so long. @returns how long each took */
async function serve(ledger: ReturnType<typeof newLedger>, forSeconds: number): Promise<number[]> {
  const until = performance.now() + forSeconds * 1000;
  const took: number[] = [];
  const turn = turnsPerSecond(4);
  await Promise.all(
    writers.slice(0, honest).map(async (writer) => {
      for (let count = 0; performance.now() < until; count++) {
        await turn();
        const began = performance.now();
        await carryOne(writer, ledger, count % 4 === 3);
        took.push(performance.now() - began);
      }
    }),
  );
  return took;
}

async function residentMiB(): Promise<number> {
  const status = await readFile(`/proc/${broker.pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}

/** MiB a minute, by least squares. */
function slope(samples: readonly (readonly [seconds: number, mebibytes: number])[]): number {
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const at = mean(samples.map(([time]) => time));
  const level = mean(samples.map(([, size]) => size));
  const over = samples.reduce((sum, [time, size]) => sum + (time - at) * (size - level), 0);
  return (60 * over) / samples.reduce((sum, [time]) => sum + (time - at) ** 2, 0);
}

it.skipIf(process.platform !== "linux")(
  "a crowd of unread streams and half-sent headers",
  async () => {
    const fault = `${readers} unread streams, ${strangers} half-sent headers`;
    const ledger = newLedger();
    await serve(ledger, seconds / 2);
    progress(fault, 1, 3);
    const before = await serve(ledger, seconds);
    progress(fault, 2, 3);

    const unread = await openUnread();
    const crowd = startStrangers(strangers);
    // Past the broker's patience with headers once, so that coming and going is part of it.
    await serve(ledger, 15);
    const samples: [number, number][] = [];
    let sampling = true;
    const began = performance.now();
    const sampled = (async () => {
      while (sampling) {
        samples.push([(performance.now() - began) / 1000, await residentMiB()]);
        await sleep(500);
      }
    })();
    const meanwhile = await serve(ledger, seconds);
    sampling = false;
    await sampled;
    expect(crowd.thrownOut()).toBeGreaterThan(0);
    crowd.close();
    for (const { body } of unread) await body?.cancel().catch(() => {});

    const [first, last] = [samples.at(0)?.[1] ?? 0, samples.at(-1)?.[1] ?? 0];
    expect(last - first).toBeLessThan(mostGrowthMiB);
    expect(broker.isAlive(), broker.output()).toBe(true);
    const [p99, p99Meanwhile] = [percentile(before, 0.99) ?? 0, percentile(meanwhile, 0.99) ?? 0];
    const memory = `${first.toFixed(0)} to ${last.toFixed(0)} MiB, ${slope(samples).toFixed(1)} MiB/min`;
    const times = `honest p99 ${(p99 / 1000).toFixed(2)} s before, ${(p99Meanwhile / 1000).toFixed(2)} s meanwhile: ${(p99Meanwhile / p99).toFixed(2)}x`;
    report(fault, 1, await audit(database.url, ledger), [], `${memory}; ${times}`);
  },
);
