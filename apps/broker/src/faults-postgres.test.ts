import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { type BrokerProcess, startBrokerProcess } from "@countersign/test-kit/broker-process";
import { startPostgres, type TestServer } from "@countersign/test-kit/postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectKept } from "./testing/ledger-check.js";
import { keepAsking, newLedger, startWriters, type Writer } from "./testing/load.js";

// The real process on a server of its own, which is killed as a power cut would.

let postgres: TestServer;
let broker: BrokerProcess;
let writers: Writer[];

beforeAll(async () => {
  postgres = await startPostgres();
  broker = await startBrokerProcess({ DATABASE_URL: postgres.url });
  writers = await startWriters(broker, 4);
});
afterAll(async () => {
  await broker.stop();
  await postgres.stop();
});

/** What is asked is how the broker is, not how an old connection is: one that broke is worth a second try. */
async function ask(path: string): Promise<Response> {
  try {
    return await fetch(broker.origin + path);
  } catch {
    expect(broker.isAlive(), broker.output()).toBe(true);
    return fetch(broker.origin + path);
  }
}
const ready = () => ask("/readyz");

/** @returns milliseconds until the broker had its database again */
async function recovery(): Promise<number> {
  const began = performance.now();
  while (!(await ready()).ok) await sleep(5);
  return performance.now() - began;
}

describe("PostgreSQL killed under load", () => {
  it("costs neither the process nor an acknowledged write", async () => {
    const ledger = newLedger();
    let over = false;
    const load = Promise.all(writers.map((writer) => keepAsking(writer, ledger, () => over)));
    load.catch(() => {});
    const recoveries: number[] = [];
    for (let round = 0; round < 5; round++) {
      await sleep(400 + 150 * round);
      await postgres.kill();
      expect(broker.isAlive(), broker.output()).toBe(true);
      // A process of the server's that was in the middle of something may say it to the end.
      let refused = await ready();
      const refusal = async () => {
        refused = await ready();
        return refused.status;
      };
      await expect.poll(refusal).toBe(503);
      expect(await refused.json()).toMatchObject({ code: "unavailable" });
      expect(refused.headers.get("retry-after")).toBe("1");
      expect((await ask("/healthz")).status).toBe(200);
      await sleep(200);
      await postgres.restart();
      recoveries.push(await recovery());
    }
    await sleep(500);
    over = true;
    await load;
    expect(broker.isAlive(), broker.output()).toBe(true);
    expect(ledger.reported.size).toBeGreaterThan(0);
    await expectKept(postgres.url, ledger);
    expect(Math.max(...recoveries)).toBeLessThan(3000);
    expect(ledger.slowestCallMilliseconds).toBeLessThan(12_000);
    if (process.env["MEASURE"]) {
      const { failures, slowestCallMilliseconds, reported } = ledger;
      console.log({ recoveries, failures, slowestCallMilliseconds, cycles: reported.size });
    }
  }, 60_000);
});

describe("a database that stops answering", () => {
  it("holds no call for ever, and is used again when it answers", async () => {
    const database = await startPostgres();
    const line = await startLine(database.url);
    const behind = await startBrokerProcess({
      DATABASE_URL: `postgres://postgres@127.0.0.1:${line.port}/postgres`,
    });
    const call = () => fetch(`http://127.0.0.1:${behind.port}/readyz`);
    try {
      line.freeze();
      const began = performance.now();
      // Twice as many as there are connections.
      const answers = await Promise.all(Array.from({ length: 20 }, call));
      const took = performance.now() - began;
      for (const answer of answers) {
        expect(await answer.json()).toMatchObject({ code: "unavailable" });
      }
      expect(took).toBeLessThan(18_000);
      line.thaw();
      await expect.poll(async () => (await call()).status).toBe(200);
      expect(behind.isAlive()).toBe(true);
    } finally {
      await behind.stop();
      line.close();
      await database.stop();
    }
  }, 60_000);
});

/** A TCP line to the server that can go dead without closing. */
async function startLine(databaseUrl: string) {
  const directory = decodeURIComponent(new URL(databaseUrl).hostname);
  const sockets = new Set<Socket>();
  let frozen = false;
  const server = createServer((client) => {
    const upstream = connect(`${directory}/.s.PGSQL.5432`);
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.on("error", () => other.destroy());
      socket.on("close", () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.on("data", (chunk) => {
        if (!frozen) other.write(chunk);
      });
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    freeze: () => {
      frozen = true;
    },
    thaw: () => {
      frozen = false;
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
