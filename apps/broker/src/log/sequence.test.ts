import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { randomNonce } from "@countersign/shared";
import { createDatabase, type TestDatabase } from "@countersign/test-kit/postgres";
import { openSql } from "@countersign/test-kit/sql";
import { sql } from "drizzle-orm";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Connection, connect, type Database } from "../db/client.js";
import { type LogHead, readHead } from "../db/log.js";
import { rows } from "../db/rows.js";
import { migrate } from "../testing/harness.js";
import { expectSoundLog } from "../testing/log-check.js";
import { writeLeaf } from "../testing/write-leaf.js";
import { createSequencer } from "./sequence.js";

const program = fileURLToPath(new URL("../testing/sequencing-process.ts", import.meta.url));
/** `LONG=1` takes as many rounds as the promise names. */
const isLong = process.env["LONG"] === "1";

let database: TestDatabase;
let connection: Connection;
let db: Database;

beforeEach(async () => {
  database = await createDatabase(migrate);
  connection = connect(database.url);
  db = connection.db;
});
afterEach(async () => {
  await connection.close();
  await database.drop();
});

const newSequencer = (on: Database = db) => createSequencer(on, () => {});
const writeLeaves = (count: number) =>
  Promise.all(Array.from({ length: count }, () => writeLeaf(db, randomNonce())));

/** A database that lets a test in before and after each statement. */
function withSteps(step: (at: "before" | "after", statement: number) => Promise<void>): Database {
  let statements = 0;
  const query: Database["query"] = async (...call) => {
    const number = ++statements;
    await step("before", number);
    const answer = await db.query(...call);
    await step("after", number);
    return answer;
  };
  return { query };
}

describe("sequencing", () => {
  it("gives every leaf one place, whatever the batches, and is done when it says so", async () => {
    const sequencer = await newSequencer();
    const acknowledged: string[] = [];
    const seen: LogHead[] = [await readHead(db)];
    for (const count of [0, 1, 2, 260, 1, 600, 1300]) {
      acknowledged.push(...(await writeLeaves(count)));
      await sequencer.run();
      seen.push(await readHead(db));
      expect(seen.at(-1)?.size).toBe(acknowledged.length);
    }
    await expectSoundLog(db, { acknowledged, seen });
  });

  it("takes a leaf that is committed late, after those with higher numbers were sequenced", async () => {
    const sequencer = await newSequencer();
    const own = openSql(database.url, 1);
    await own`begin`;
    const [late] = await own`insert into leaf (kind, digest, salt, entry)
      select kind, digest, salt, entry from (values ('open', 'd', 's', ${randomNonce()})) v(kind, digest, salt, entry)
      returning seq::float8 as seq, entry`;
    // A number that no leaf will ever have.
    await own`savepoint gap`;
    await own`insert into leaf (kind, digest, salt, entry) values ('open', 'd', 's', repeat('A', 43))`;
    await own`rollback to gap`;
    await writeLeaves(5);
    await sequencer.run();
    const before = await readHead(db);
    expect(before.size).toBe(5);
    await own`commit`;
    await sequencer.run();
    const [placed] =
      await own`select log_index::float8 as index from leaf where seq = ${late?.["seq"]}`;
    expect(placed).toEqual({ index: 5 });
    expect((await readHead(db)).size).toBe(6);
    await own.end();
  });

  it.each(["", "gone", "A".repeat(42), "A".repeat(44), `${"A".repeat(42)}B`, `${"A".repeat(42)}=`])(
    "meets no leaf that it cannot read and that would hold up all others: %j",
    async (entry) => {
      const insert = sql`insert into leaf (kind, digest, salt, entry) values ('open', 'd', 's', ${entry})`;
      await expect(rows(db, insert)).rejects.toMatchObject({ code: "23514" });
    },
  );

  it("runs again for whoever comes while it runs, and once for all of them", async () => {
    let statements = 0;
    const sequencer = await newSequencer(
      withSteps(async (at) => {
        if (at === "before") statements += 1;
      }),
    );
    const entries = await writeLeaves(3);
    const first = sequencer.run();
    const runs = Array.from({ length: 20 }, async () => {
      entries.push(await writeLeaf(db, randomNonce()));
      await sequencer.run();
      return (await readHead(db)).size;
    });
    await Promise.all([first, ...runs]);
    await expectSoundLog(db, { acknowledged: entries });
    expect((await readHead(db)).size).toBe(23);
    expect(statements).toBeLessThan(1 + 3 * 21);
  });

  it("is not done for whoever came after its last look", async () => {
    let reached = () => {};
    const looked = new Promise<void>((resolve) => {
      reached = resolve;
    });
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const sequencer = await newSequencer(
      withSteps(async (at, statement) => {
        if (at !== "after" || statement !== 2) return;
        reached();
        await held;
      }),
    );
    const first = sequencer.run();
    await looked;
    await writeLeaves(1);
    const second = sequencer.run();
    release();
    await second;
    expect((await readHead(db)).size).toBe(1);
    await first;
  });

  it("moves no head that another broker moved since it was read", async () => {
    const other = await newSequencer();
    const acknowledged = await writeLeaves(4);
    const seen: LogHead[] = [];
    let raced = 0;
    const slow = await newSequencer(
      withSteps(async (at, statement) => {
        // After it has read, before it writes: the other one is faster, with these very leaves and more.
        if (at === "before" && statement === 3) {
          raced += 1;
          acknowledged.push(...(await writeLeaves(3)));
          await other.run();
          seen.push(await readHead(db));
        }
      }),
    );
    await slow.run();
    acknowledged.push(...(await writeLeaves(2)));
    await slow.run();
    seen.push(await readHead(db));
    expect([raced, seen.map(({ size }) => size)]).toEqual([1, [7, 9]]);
    await expectSoundLog(db, { acknowledged, seen });
  });

  it.each([
    ["before it reads", "before", 2],
    ["after it read", "after", 2],
    ["before the head moves", "before", 3],
    ["when the head has moved and the reply is lost", "after", 3],
  ] as const)("that failed %s goes on where it was", async (_, when, failing) => {
    const acknowledged = await writeLeaves(4);
    const sequencer = await newSequencer(
      withSteps(async (at, statement) => {
        if (at === when && statement === failing) throw new Error("the line is cut");
      }),
    );
    await expect(sequencer.run()).rejects.toThrow("the line is cut");
    const seen = [await readHead(db)];
    acknowledged.push(...(await writeLeaves(2)));
    await sequencer.run();
    seen.push(await readHead(db));
    expect(seen.at(-1)?.size).toBe(6);
    await expectSoundLog(db, { acknowledged, seen });
  });

  it("by several brokers at once makes one tree", async () => {
    const others = [connect(database.url), connect(database.url)];
    const sequencers = await Promise.all([db, ...others.map((it) => it.db)].map(newSequencer));
    const acknowledged: string[] = [];
    const seen: LogHead[] = [];
    for (let round = 0; round < (isLong ? 200 : 8); round++) {
      await Promise.all(
        sequencers.map(async (sequencer) => {
          acknowledged.push(...(await writeLeaves(1 + (round % 5))));
          await sequencer.run();
          seen.push(await readHead(db));
        }),
      );
    }
    await Promise.all(others.map((it) => it.close()));
    expect((await readHead(db)).size).toBe(acknowledged.length);
    await expectSoundLog(db, { acknowledged, seen });
  }, 300_000);
});

interface Heard {
  acknowledged: string[];
  seen: LogHead[];
}

/** @param step at which it kills itself, or none: then the test does, after so many milliseconds */
async function runAndKill(heard: Heard, step: string, afterMs: number): Promise<void> {
  const child = spawn(
    process.execPath,
    ["--conditions=@countersign/source", "--import=tsx", program, database.url, step],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const lines = createInterface({ input: child.stdout });
  const ready = once(lines, "line");
  lines.on("line", (line) => {
    // The last line may be half a line.
    const said = line.endsWith("}") ? JSON.parse(line) : {};
    if (said.entry) heard.acknowledged.push(said.entry);
    if (said.head) heard.seen.push(said.head);
  });
  const exited = once(child, "close");
  await ready;
  if (step === "none") await sleep(afterMs).then(() => child.kill("SIGKILL"));
  await exited;
}

describe("SIGKILL", () => {
  const steps = ["read", "move"].flatMap((name) =>
    ["before", "during", "after"].map((when) => `${when} ${name}`),
  );
  const rounds = isLong ? 200 : 2;

  it("between each pair of steps of sequencing, beside another broker, loses and doubles nothing", async () => {
    const heard: Heard = { acknowledged: [], seen: [] };
    for (let at = 0; at < steps.length; at += 2) {
      await Promise.all(steps.slice(at, at + 2).map((step) => runAndKill(heard, step, 0)));
    }
    for (let round = 0; round < rounds; round++) {
      await Promise.all([
        runAndKill(heard, "none", 20 + ((round * 37) % 300)),
        runAndKill(heard, "none", 30 + ((round * 53) % 300)),
      ]);
    }
    const sequencer = await newSequencer();
    await sequencer.run();
    heard.seen.push(await readHead(db));
    expect(heard.acknowledged.length).toBeGreaterThan(20);
    await expectSoundLog(db, heard);
    // What a killed process had sent may still have been on its way.
    await expect
      .poll(async () => {
        await sequencer.run();
        const [waiting] = await rows(
          db,
          sql`select count(*)::int as n from leaf where log_index is null`,
        );
        return waiting;
      })
      .toEqual({ n: 0 });
  }, 600_000);
});
