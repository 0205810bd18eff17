import { setTimeout as sleep } from "node:timers/promises";
import { socketHost } from "@countersign/embedded-postgres";
import { createDatabase } from "@countersign/test-kit/postgres";
import { startTcpProxy } from "@countersign/test-kit/tcp-proxy";
import { sql } from "drizzle-orm";
import postgres from "postgres";
import { describe, expect, it } from "vitest";
import { connect, type Database } from "./client.js";
import { isUnavailable } from "./failures.js";
import { rows } from "./rows.js";

it("meets no call with a connection that is just being closed, however long the pause before it", async () => {
  const database = await createDatabase();
  const pauses = Array.from(
    { length: 60 },
    (_, index) => 3970 + index + (index >= 30 ? 2000 - 30 : 0),
  );
  const calls = pauses.map(async (pause) => {
    const { db, close } = connect(database.url, { max: 1 });
    await rows(db, sql`select 1`);
    await sleep(pause);
    await rows(db, sql`select 1`);
    await close();
  });
  const failed = (await Promise.allSettled(calls)).filter(({ status }) => status === "rejected");
  expect(failed).toEqual([]);
  await database.drop();
});

describe("connections that an administrator ends", () => {
  it("cost the calls on them, and nothing else, however new they are", async () => {
    const database = await createDatabase();
    const own = connect(database.url, { max: 4 });
    const admin = postgres(database.url, { ...socketHost(database.url), max: 1 });
    const unheard: unknown[] = [];
    const hear = (error: unknown) => unheard.push(error);
    process.on("unhandledRejection", hear);
    let over = false;
    const outcomes = new Set<string>();
    const call = async () => {
      while (!over) {
        await rows(own.db, sql`select 1`).then(
          () => outcomes.add("answered"),
          (error: unknown) => outcomes.add(isUnavailable(error) ? "unavailable" : String(error)),
        );
      }
    };
    const calls = Promise.all(Array.from({ length: 8 }, call));
    const began = performance.now();
    const isOver = (milliseconds: number) => performance.now() - began > milliseconds;
    // On a slow machine a call may not come between two of these for a while.
    while (!isOver(3000) || (outcomes.size < 2 && !isOver(15_000))) {
      await admin`select pg_terminate_backend(pid) from pg_stat_activity
        where application_name = 'countersign-broker' and datname = current_database()`;
    }
    over = true;
    await calls;
    process.off("unhandledRejection", hear);
    expect(unheard).toEqual([]);
    expect(outcomes).toEqual(new Set(["answered", "unavailable"]));
    await own.close();
    await admin.end();
    await database.drop();
  });

  it("in the middle of an answer leave nothing of it in the next one", async () => {
    const database = await createDatabase();
    const own = connect(database.url, { max: 1 });
    const admin = postgres(database.url, { ...socketHost(database.url), max: 1 });
    // Wider than the server's buffer, so that the first rows are sent while the others are still to come.
    const cut = rows(
      own.db,
      sql`select repeat('x', 20000) as wide, pg_sleep(0.3)::text from generate_series(1, 30)`,
    );
    cut.catch(() => {});
    const answering = () => admin`select from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid() and query like '%pg_sleep%'`;
    await expect.poll(async () => (await answering()).length).toBe(1);
    await sleep(1000);
    await admin`select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = 'countersign-broker' and datname = current_database()`;
    await expect(cut).rejects.toSatisfy(isUnavailable);
    let next: unknown;
    const asked = () => rows(own.db, sql`select 1 as one`).then((found) => (next = found));
    await expect
      .poll(() =>
        asked().then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
    expect(next).toEqual([{ one: 1 }]);
    await own.close();
    await admin.end();
    await database.drop();
  });
});

it("answers a call or fails it, in whatever moment its connection is reset", async () => {
  const database = await createDatabase();
  const url = new URL(database.url);
  const path = `${decodeURIComponent(url.hostname)}/.s.PGSQL.5432`;
  const line = await startTcpProxy(() => ({ path }));
  const own = connect(`postgres://postgres@127.0.0.1:${line.port}${url.pathname}`, { max: 1 });
  const outcomes = new Set<string>();
  const call = () =>
    rows(own.db, sql`select 1 as one`).then(
      (found) => outcomes.add(JSON.stringify(found)),
      (error: unknown) => outcomes.add(isUnavailable(error) ? "unavailable" : String(error)),
    );
  for (let round = 0; round < 48; round++) {
    await call();
    line.cut("reset");
    // Later each time, by turns of the loop: before the driver hears of it, meanwhile, and after.
    for (let turn = 0; turn < round % 8; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    await call();
  }
  expect(outcomes).toEqual(new Set([JSON.stringify([{ one: 1 }]), "unavailable"]));
  await own.close();
  await line.close();
  await database.drop();
});

it("takes an answer in which no statement ended for a call that was lost", async () => {
  const unsafe = async () => Object.assign([], { command: null });
  const db = { $client: { unsafe } } as unknown as Database;
  await expect(rows(db, sql`select 1`)).rejects.toSatisfy(isUnavailable);
});
