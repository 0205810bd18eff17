import { setTimeout as sleep } from "node:timers/promises";
import { ProtocolError } from "@countersign/shared";
import { type Balancer, startBalancer } from "@countersign/test-kit/balancer";
import { type BrokerProcess, startBrokerProcess } from "@countersign/test-kit/broker-process";
import { fetchVia } from "@countersign/test-kit/fetch-via";
import { createDatabase, type TestDatabase } from "@countersign/test-kit/postgres";
import { startTcpProxy, type TcpProxy } from "@countersign/test-kit/tcp-proxy";
import { afterAll, beforeAll, expect, it } from "vitest";
import { migrate } from "../testing/harness.js";
import { newLedger } from "../testing/load.js";
import { type Effects, guardOne, judge, type Lane, newEffects, startLane } from "./guarded.js";
import { audit, long, printTable, progress, report, stateOf } from "./report.js";

// Agents (the SDK) and phones, each behind a line of its own, which breaks at each stage of a request.

const cutSeconds = long ? [10, 60, 600] : [1];
/** The longest cut is past it. */
const requestSeconds = 300;
/** Longer than any call of the SDK waits for its answer. */
const patienceSeconds = 90;

interface TestLane extends Lane {
  line: TcpProxy;
}

let database: TestDatabase;
let balancer: Balancer;
let broker: BrokerProcess;
let invitation: string;
let count = 0;
const lanes: TestLane[] = [];

beforeAll(async () => {
  database = await createDatabase(migrate);
  balancer = await startBalancer(() => [broker.port]);
  broker = await startBrokerProcess({
    DATABASE_URL: database.url,
    PUBLIC_URL: `http://localhost:${balancer.port}`,
    TRUSTED_PROXIES: "127.0.0.1",
  });
  invitation = broker.firstInvitation ?? "";
});
afterAll(async () => {
  for (const lane of lanes) {
    await lane.line.close();
    await lane.close();
  }
  await broker.stop();
  await balancer.close();
  await database.drop();
  printTable();
});

let last: Promise<unknown> = Promise.resolve();

/** One after the other: each is invited by the one before. */
function newLane(whose: "agent" | "phone"): Promise<TestLane> {
  const lane = last.then(() => makeLane(whose));
  last = lane;
  return lane;
}

async function makeLane(whose: "agent" | "phone"): Promise<TestLane> {
  const line = await startTcpProxy(() => ({ host: "127.0.0.1", port: balancer.port }));
  count += 1;
  const lane = await startLane({
    ...{ origin: broker.origin, invitation, address: `10.1.0.${count}` },
    // As long as the app waits for an answer.
    [`${whose}Fetch`]: fetchVia(() => line.port, whose === "phone" ? 40_000 : undefined),
  });
  invitation = await lane.phone.invite();
  lanes.push({ ...lane, line });
  return { ...lane, line };
}

const ways: Record<string, (line: TcpProxy) => void> = {
  "cut off towards the broker": (line) => line.hold("up"),
  "cut off from the broker": (line) => line.hold("down"),
  "cut off both ways": (line) => line.hold("up", "down"),
  "cut off both ways, its connections dead": (line) => line.block("up", "down"),
  "late by 300 ms": (line) => line.delay(300),
};

interface Run {
  lane: TestLane;
  strike: (line: TcpProxy) => void;
  milliseconds: number;
  /** Of the first request. */
  seconds: number;
  effects: Effects;
  ledger: ReturnType<typeof newLedger>;
}

/** Breaks the line, and mends it after its time. @returns when that was */
async function breakFor({ lane: { line }, strike, milliseconds }: Run): Promise<number> {
  strike(line);
  await sleep(milliseconds);
  line.heal();
  return performance.now();
}

/** The person's answer, given again until it is taken, or is too late. */
async function say(run: Run, rid: string, yes: boolean): Promise<void> {
  const { phone } = run.lane;
  if (yes) run.effects.approved.add(rid);
  const patientUntil = performance.now() + run.milliseconds + patienceSeconds * 1000;
  for (;;) {
    try {
      await (yes ? phone.approve(rid) : phone.deny(rid));
      (yes ? run.ledger.approved : run.ledger.denied).add(rid);
      return;
    } catch (error) {
      const code = error instanceof ProtocolError ? error.code : "";
      if (code === "expired") return;
      // It was taken, and its answer was lost.
      const state = code === "already_settled" ? await stateOf(database.url, rid) : undefined;
      if (state !== undefined && yes === (state !== "denied")) return;
      // A second ceremony, from a call that came twice, took the place of the one that was signed: the person opens it again.
      const isPassing = error instanceof TypeError || code === "ceremony_stale";
      if (!isPassing || performance.now() > patientUntil) throw error;
    }
  }
}

/** One request through a fault, and one more after it, which must come to its end. @returns milliseconds to both ends */
async function carryThrough(
  run: Run,
  stage: string,
  moments: { asking?: true; pending?: true; executing?: true; answerAfterMs: number },
): Promise<number> {
  let mended: Promise<number> | undefined;
  const strike = () => {
    mended ??= breakFor(run);
  };
  let answered: Promise<void> | undefined;
  if (moments.asking) strike();
  const answer = await guardOne(
    run.lane,
    run.effects,
    {
      onPending: (rid) => {
        run.ledger.requested.add(rid);
        if (moments.pending) strike();
        answered = sleep(moments.answerAfterMs).then(() => say(run, rid, stage !== "denied"));
        answered.catch(() => {});
      },
      onExecute: () => {
        if (moments.executing) strike();
      },
    },
    run.seconds,
  );
  const healedAt = (await mended) ?? performance.now();
  await answered;
  // Too late or out of reach is an honest answer to a cut; another than the person's is none.
  const honest = ["unreachable", "expired", stage === "denied" ? "denied" : "approved"];
  expect(honest, stage).toContain(answer.status);
  const again = await guardOne(
    run.lane,
    run.effects,
    {
      onPending: (rid) => {
        run.ledger.requested.add(rid);
        void say(run, rid, true);
      },
    },
    requestSeconds,
  );
  expect(again, `after ${stage}`).toMatchObject({ status: "approved", outcome: "succeeded" });
  for (const [rid] of run.effects.executed) run.ledger.reported.add(rid);
  await allReported(run);
  return performance.now() - healedAt;
}

/** What was executed is known to the broker, and so to the person, sooner or later. */
async function allReported({ effects }: Run): Promise<void> {
  const patientUntil = performance.now() + patienceSeconds * 1000;
  for (const [rid] of effects.executed) {
    // What is not there by then is counted as lost.
    while ((await stateOf(database.url, rid)) !== "reported" && performance.now() < patientUntil) {
      await sleep(200);
    }
  }
}

type Stages = Record<string, Parameters<typeof carryThrough>[2]>;

/** One request at each stage, side by side. */
async function torture(
  fault: string,
  whose: "agent" | "phone",
  given: Pick<Run, "strike" | "milliseconds" | "seconds">,
  stages: Stages,
): Promise<void> {
  const runs: Run[] = [];
  for (const _ of Object.keys(stages)) {
    const lane = await newLane(whose);
    runs.push({ ...given, lane, effects: newEffects(), ledger: newLedger() });
  }
  progress(fault, 0, runs.length);
  const recoveries = await Promise.all(
    Object.entries(stages).map(([stage, moments], index) =>
      carryThrough(runs[index] as Run, stage, moments),
    ),
  );
  const total = { lost: 0, doubled: 0, wrong: 0, late: 0 };
  for (const { effects, ledger } of runs) {
    const [inDatabase, had] = [await audit(database.url, ledger), judge(effects)];
    total.lost += inDatabase.lost;
    total.doubled += inDatabase.doubled + had.doubled;
    total.wrong += inDatabase.wrong + had.wrong;
    total.late += had.late;
  }
  report(fault, runs.length, total, recoveries, `executed past the deadline: ${total.late}`);
  progress(fault, runs.length, runs.length);
}

function cutOff(whose: "agent" | "phone", way: string, cut: number): Promise<void> {
  const milliseconds = cut * 1000;
  const soon = Math.min(milliseconds / 2, 20_000);
  const answering: Stages = {
    approved: { pending: true, answerAfterMs: soon },
    denied: { pending: true, answerAfterMs: soon },
  };
  const stages: Stages =
    whose === "phone"
      ? answering
      : {
          asking: { asking: true, answerAfterMs: 0 },
          pending: { pending: true, answerAfterMs: milliseconds + 100 },
          ...answering,
          reporting: { executing: true, answerAfterMs: 0 },
        };
  const strike = ways[way] as (line: TcpProxy) => void;
  const given = { strike, milliseconds, seconds: requestSeconds };
  return torture(`${whose} ${way}, ${cut} s`, whose, given, stages);
}

const breaks = cutSeconds.flatMap((seconds) =>
  Object.keys(ways).flatMap((way) =>
    (["agent", "phone"] as const).map((whose) => ({ whose, way, seconds })),
  ),
);

// Side by side: each has a line, an agent and a person of its own.
it.concurrent.each(breaks)("$whose $way, $seconds s", ({ whose, way, seconds }) =>
  cutOff(whose, way, seconds),
);

it.concurrent.each(Object.keys(ways).filter((way) => way.startsWith("cut")))(
  "agent %s, past the deadline",
  (way) =>
    torture(
      `agent ${way}, past the deadline`,
      "agent",
      { strike: ways[way] as (line: TcpProxy) => void, milliseconds: 9000, seconds: 6 },
      { approved: { pending: true, answerAfterMs: 500 } },
    ),
);

it("every call of agents and phones twice, the second time late and out of order", async () => {
  balancer.duplicate(2000);
  const fault = "agent's and phone's calls twice, out of order";
  const stages = { approved: { answerAfterMs: 0 }, denied: { answerAfterMs: 0 } };
  for (let round = 0; round < (long ? 10 : 1); round++) {
    const given = { strike: () => {}, milliseconds: 0, seconds: requestSeconds };
    await torture(fault, "agent", given, stages);
  }
});
