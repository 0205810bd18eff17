import { setTimeout as sleep } from "node:timers/promises";
import type { BrokerProcess } from "@countersign/test-kit/broker-process";
import { expect } from "vitest";
import { keepAsking, newLedger, turnsPerSecond, type Writer } from "../testing/load.js";
import { audit, isReady, progress, report, timeUntil } from "./report.js";

export interface LoadedWorld {
  broker: BrokerProcess;
  databaseUrl: string;
  writers: readonly Writer[];
}

/** Half of what the limits allow so many people to decide, each request's ceremony counted too. */
const requestsPerSecond = 4;

/**
 * Writers at work, two requests of each at a time, while a fault comes and goes. What they are refused with has to be
 * 503 or 429 with a stable code; the broker ends nothing but by being told.
 */
export async function underLoad(
  { broker, databaseUrl, writers }: LoadedWorld,
  fault: string,
  rounds: number,
  strike: () => Promise<void>,
  mend: () => Promise<void> | void,
): Promise<void> {
  const ledger = newLedger();
  const recoveries: number[] = [];
  const turn = turnsPerSecond(requestsPerSecond);
  let over = false;
  const load = Promise.all(
    [...writers, ...writers].map((writer) => keepAsking(writer, ledger, () => over, turn)),
  );
  load.catch(() => {});
  try {
    for (let round = 0; round < rounds; round++) {
      progress(fault, round, rounds);
      await sleep(800);
      await strike();
      await mend();
      recoveries.push(await timeUntil(isReady(broker.port)));
    }
    await sleep(500);
  } finally {
    over = true;
  }
  await load;
  expect(broker.isAlive(), broker.output()).toBe(true);
  expect(ledger.reported.size).toBeGreaterThan(0);
  // The broker was there all the time: a connection to it that breaks is a finding of its own.
  const broken = [...ledger.failures].filter(([what]) => what.includes("fetch failed"));
  const refused = [...ledger.failures.values()].reduce((sum, count) => sum + count, 0);
  const remark = `requests to their end: ${ledger.reported.size}; calls refused for a while: ${refused}; connections broken: ${broken[0]?.[1] ?? 0}`;
  report(fault, rounds, await audit(databaseUrl, ledger), recoveries, remark);
}
