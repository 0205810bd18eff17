import { setTimeout as sleep } from "node:timers/promises";
import { type BrokerProcess, startBrokerProcess } from "@countersign/test-kit/broker-process";
import { startPostgres, type TestServer } from "@countersign/test-kit/postgres";
import { withServer } from "@countersign/test-kit/postgres-server";
import { openSql, type Sql } from "@countersign/test-kit/sql";
import { afterAll, beforeAll, it } from "vitest";
import { startWriters, type Writer } from "../testing/load.js";
import { long, printTable, timeUntil } from "./report.js";
import { mountSmallDisk } from "./small-disk.js";
import { underLoad } from "./under-load.js";

// What a broker stands on runs out: connections, and the disk.

const rounds = long ? 20 : 1;
const disk = mountSmallDisk(192);
if (!disk) console.log("Skipped: a full disk. It takes root, and the right to mount.");

let server: TestServer;
let broker: BrokerProcess;
let writers: Writer[];
let sql: Sql;

beforeAll(async () => {
  const small = { max_connections: "40", min_wal_size: "32MB", max_wal_size: "48MB" };
  server = await startPostgres(small, disk?.path);
  broker = await startBrokerProcess({ DATABASE_URL: server.url, TRUSTED_PROXIES: "127.0.0.1" });
  writers = await startWriters(broker, 8);
  sql = openSql(server.url);
});
afterAll(async () => {
  await broker.stop();
  await sql.end();
  await server.stop();
  disk?.unmount();
  printTable();
});

const world = () => ({ broker, databaseUrl: server.url, writers });

it("every ordinary connection held, for longer than a statement may take", async () => {
  const holder = await sql.pool.connect();
  await underLoad(
    world(),
    "pool exhausted: every ordinary connection held",
    rounds,
    async () => {
      // Every call of an agent stops here.
      await holder.query("begin; lock table used_proof");
      await sleep(7000);
    },
    async () => {
      await holder.query("rollback");
    },
  );
  holder.release();
});

it("PostgreSQL has no connection left", async () => {
  const others: Sql[] = [];
  await underLoad(
    world(),
    "no connection left in PostgreSQL",
    rounds,
    async () => {
      for (let tries = 0; tries < 60; tries++) {
        await sql`select pg_terminate_backend(pid) from pg_stat_activity
          where application_name = 'countersign-broker'`;
        const other = openSql(server.url);
        await other`select 1`.then(
          () => others.push(other),
          () => other.end(),
        );
      }
      await sleep(1000);
    },
    async () => {
      for (const other of others.splice(0)) await other.end();
    },
  );
});

it.skipIf(!disk)("the disk is full", async () => {
  const answers = async (): Promise<boolean> => {
    const found = await withServer(server.url, (probe) => probe`select 1`);
    return found.length === 1;
  };
  await underLoad(
    world(),
    "disk full",
    // In a few more PostgreSQL's own log would fill what is freed.
    1,
    async () => {
      for (let times = 0; times < 15; times++) {
        await disk?.fill();
        await sleep(200);
      }
    },
    async () => {
      await disk?.free();
      // Where its own log found no room PostgreSQL ends itself, and whoever watches over it starts it again.
      await timeUntil(answers, 3000).catch(() => server.restart());
    },
  );
});
