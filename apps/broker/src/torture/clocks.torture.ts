import { setTimeout as sleep } from "node:timers/promises";
import type { Guarded } from "@countersign/agent-client";
import { ProtocolError } from "@countersign/shared";
import { type BrokerProcess, startBrokerProcess } from "@countersign/test-kit/broker-process";
import { createDatabase } from "@countersign/test-kit/postgres";
import { jump, jumpingClock } from "@countersign/test-kit/wrong-clock";
import { afterAll, expect, it } from "vitest";
import { migrate } from "../testing/harness.js";
import { newLedger } from "../testing/load.js";
import { guardOne, judge, type Lane, newEffects, startLane } from "./guarded.js";
import { audit, long, printTable, progress, report } from "./report.js";
import { shiftDatabaseClock } from "./shifted-database.js";

// One of the clocks jumps while a request is pending, stays wrong for a while, and is set right again.

const seconds = long ? [5, -5, 3600, -3600, 86_400, -86_400] : [-5, 3600, -86_400];
/** Two clocks that differ by so little are both believed (protocol section 5, step 4). */
const toleratedSeconds = 30;
const requestSeconds = 60;
/** Of the request that is answered after its time, while the clock is still wrong. */
const shortSeconds = 12;
const wrongForMs = 14_000;

afterAll(printTable);

interface World {
  broker: BrokerProcess;
  databaseUrl: string;
  /** Everybody's clock of one kind, moved, or put right. */
  move(wrong: boolean): Promise<void> | void;
  newLane(): Promise<Lane>;
  close(): Promise<void>;
}

type Whose = "broker" | "database" | "agent";

async function startWorld(whose: Whose, bySeconds: number): Promise<World> {
  const database = await createDatabase(migrate);
  const databaseClock =
    whose === "database" ? await shiftDatabaseClock(database.url, bySeconds) : undefined;
  const broker = await startBrokerProcess({
    DATABASE_URL: database.url,
    TRUSTED_PROXIES: "127.0.0.1",
    ...(whose === "broker" ? jumpingClock(bySeconds * 1000) : {}),
  });
  let moved = 0;
  const clock = { now: () => Date.now() + moved, monotonic: () => performance.now() };
  let invitation = broker.firstInvitation ?? "";
  const lanes: Lane[] = [];
  return {
    broker,
    databaseUrl: database.url,
    move: (wrong) => {
      if (whose === "broker") jump(broker.pid);
      moved = whose === "agent" && wrong ? bySeconds * 1000 : 0;
      return databaseClock?.move(wrong);
    },
    async newLane() {
      const address = `10.2.0.${lanes.length + 1}`;
      const lane = await startLane({ origin: broker.origin, invitation, address, clock });
      invitation = await lane.phone.invite();
      lanes.push(lane);
      return lane;
    },
    async close() {
      for (const lane of lanes) await lane.close();
      expect(await broker.stop()).toBe(0);
      await databaseClock?.close();
      await database.drop();
    },
  };
}

/** What became of it, in one word that says what to do. */
const wordOf = (answer: Guarded<string>): string =>
  "code" in answer ? answer.code : answer.status;

async function wrongClock(whose: Whose, bySeconds: number): Promise<void> {
  const world = await startWorld(whose, bySeconds);
  try {
    await endure(world, whose, bySeconds);
  } finally {
    await world.close();
  }
}

async function endure(world: World, whose: Whose, bySeconds: number): Promise<void> {
  const fault = `${whose}'s clock jumps by ${bySeconds} s`;
  const effects = newEffects();
  const ledger = newLedger();
  const words = new Set<string>();
  const [soon, tooLate, executing, asking] = [
    await world.newLane(),
    await world.newLane(),
    await world.newLane(),
    await world.newLane(),
  ] as [Lane, Lane, Lane, Lane];

  let reached = 0;
  let jumped = () => {};
  const jumping = new Promise<void>((resolve) => {
    jumped = resolve;
  });
  /** Whoever is where the jump is to meet them waits for the others. */
  const meet = async (): Promise<void> => {
    reached += 1;
    if (reached === 3) {
      await world.move(true);
      jumped();
    }
    await jumping;
  };
  const guard = async (
    lane: Lane,
    moments: { pending?: true; answerAfterMs?: number; executing?: true },
    forSeconds = requestSeconds,
  ) => {
    let answered: Promise<void> | undefined;
    const askedAt = Date.now();
    const answer = await guardOne(
      lane,
      effects,
      {
        onPending: (rid) => {
          // By the true clock, whatever anybody's shows.
          effects.deadlines.set(rid, askedAt + forSeconds * 1000);
          ledger.requested.add(rid);
          answered = (async () => {
            if (moments.pending) await meet();
            await sleep(moments.answerAfterMs ?? 0);
            effects.approved.add(rid);
            await lane.phone.approve(rid).then(
              () => ledger.approved.add(rid),
              (error: unknown) => {
                if (!(error instanceof ProtocolError)) throw error;
                words.add(`phone: ${error.code}`);
              },
            );
          })();
          answered.catch(() => {});
        },
        ...(moments.executing ? { onExecute: meet } : {}),
      },
      forSeconds,
    );
    await answered;
    if (answer.status !== "approved") words.add(wordOf(answer));
    return answer;
  };

  progress(fault, 0, 1);
  const mended = jumping.then(async () => {
    await sleep(wrongForMs);
    await world.move(false);
    return performance.now();
  });
  const [answeredSoon, answeredLate, reported, asked] = await Promise.all([
    guard(soon, { pending: true, answerAfterMs: 300 }),
    guard(tooLate, { pending: true, answerAfterMs: shortSeconds * 1000 + 500 }, shortSeconds),
    guard(executing, { executing: true }),
    jumping.then(() => guard(asking, {})),
  ]);
  const mendedAt = await mended;
  expect(answeredLate.status, "answered too late").not.toBe("approved");
  expect(reported).toMatchObject({ status: "approved", outcome: "succeeded" });
  if (Math.abs(bySeconds) <= toleratedSeconds && whose !== "database") {
    expect([answeredSoon, asked]).toMatchObject([{ status: "approved" }, { status: "approved" }]);
  }
  // A refusal says what to do, or that the time is over: by the database's clock that of an upload may be too.
  for (const word of words)
    expect(word).toMatch(/^(?:phone: )?(?:clock_skew|expired|expired_token|context_missing)$/);

  const again = await guard(asking, {});
  expect(again).toMatchObject({ status: "approved", outcome: "succeeded" });
  for (const [rid] of effects.executed) ledger.reported.add(rid);
  const recovery = performance.now() - mendedAt;
  // What happened while the clock was wrong is reported by itself.
  let finding = await audit(world.databaseUrl, ledger);
  for (let tries = 0; finding.lost > 0 && tries < 150; tries++) {
    await sleep(200);
    finding = await audit(world.databaseUrl, ledger);
  }
  const had = judge(effects);
  report(
    fault,
    5,
    { ...finding, doubled: finding.doubled + had.doubled, wrong: finding.wrong + had.wrong },
    [recovery],
    `executed past the deadline: ${had.late}; refused as ${[...words].sort().join(", ") || "nothing"}`,
  );
}

it.concurrent.each(
  (["agent", "broker", "database"] as const).flatMap((whose) =>
    seconds.map((bySeconds) => ({ whose, bySeconds })),
  ),
)("$whose's clock jumps by $bySeconds s", ({ whose, bySeconds }) => wrongClock(whose, bySeconds));
