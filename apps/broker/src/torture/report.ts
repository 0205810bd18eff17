import { withServer } from "@countersign/test-kit/postgres-server";
import { expect } from "vitest";
import type { Ledger } from "../testing/load.js";

/** `LONG=1`: the form whose figures are published. */
export const long = process.env["LONG"] === "1";

export interface Finding {
  lost: number;
  doubled: number;
  wrong: number;
}

interface Kept {
  rid: string;
  state: string;
  answers: number;
  leaves: Record<string, number> | null;
}

/** Holds what was acknowledged against what the database has. */
export async function audit(databaseUrl: string, ledger: Ledger): Promise<Finding> {
  const kept = await withServer(
    databaseUrl,
    (sql) => sql<Kept[]>`
    select r.rid, r.state, (select count(*)::int from decision d where d.rid = r.rid) as answers,
      (select jsonb_object_agg(kind, n) from (select kind, count(*) as n from leaf l
        where l.rid = r.rid and l.kind not in ('open', 'outcome') group by kind) k) as leaves
    from authorization_request r`,
  );
  const byRid = new Map(kept.map((row) => [row.rid, row]));
  const missing = (rids: Set<string>, states: readonly string[]): number =>
    [...rids].filter((rid) => !states.includes(byRid.get(rid)?.state ?? "none")).length;
  const any = ["pending", "approved", "denied", "canceled", "expired", "redeemed", "reported"];
  return {
    lost:
      missing(ledger.requested, any) +
      missing(ledger.approved, ["approved", "redeemed", "reported", "expired", "canceled"]) +
      missing(ledger.redeemed, ["redeemed", "reported"]) +
      missing(ledger.reported, ["reported"]),
    doubled: kept.filter(
      ({ answers, leaves }) =>
        answers > 1 || Object.values(leaves ?? {}).some((count) => count > 1),
    ).length,
    wrong:
      missing(ledger.denied, ["denied"]) +
      [...ledger.denied].filter((rid) => ledger.redeemed.has(rid)).length,
  };
}

/** What the database says of one request; `none` where it has none. */
export async function stateOf(databaseUrl: string, rid: string): Promise<string> {
  const [row] = await withServer(
    databaseUrl,
    (sql) => sql<{ state: string }[]>`select state from authorization_request where rid = ${rid}`,
  );
  return row?.state ?? "none";
}

interface Row extends Finding {
  fault: string;
  rounds: number;
  recoveries: number[];
  remark: string;
}

const table: Row[] = [];

/**
 * Notes one fault's result, and fails the run if anything was lost, doubled or wrong.
 * @param remark a figure that only this fault has
 */
export function report(
  fault: string,
  rounds: number,
  { lost, doubled, wrong }: Finding,
  recoveries: number[] = [],
  remark = "",
): void {
  table.push({ fault, rounds, lost, doubled, wrong, recoveries, remark });
  expect({ fault, lost, doubled, wrong }).toEqual({ fault, lost: 0, doubled: 0, wrong: 0 });
}

/** The table so far, as it stands in docs/torture.md. */
export function printTable(): void {
  const lines = table.map(({ fault, rounds, lost, doubled, wrong, recoveries, remark }) => {
    const p99 = percentile(recoveries, 0.99);
    const recovery = p99 === undefined ? "" : `${(p99 / 1000).toFixed(1)} s`;
    return `| ${fault} | ${rounds} | ${lost} | ${doubled} | ${wrong} | ${recovery} | ${remark} |`;
  });
  const head =
    "| fault | rounds | lost | doubled | wrong | recovery p99 | besides |\n|---|---|---|---|---|---|---|";
  console.log(`\n${head}\n${lines.join("\n")}\n`);
}

export function percentile(values: readonly number[], share: number): number | undefined {
  return [...values].sort((a, b) => a - b)[Math.ceil(values.length * share) - 1];
}

/** Where a long form is: it runs for minutes, and says so. */
export function progress(fault: string, done: number, of: number): void {
  if (long) console.log(`${new Date().toISOString()} ${fault}: ${done} of ${of}`);
}

/** How long until the call succeeds, in milliseconds. */
export async function timeUntil(
  call: () => Promise<boolean>,
  patienceMilliseconds = 60_000,
): Promise<number> {
  const began = performance.now();
  for (;;) {
    if (await call().catch(() => false)) return performance.now() - began;
    if (performance.now() - began > patienceMilliseconds) throw new Error("It did not come back.");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export const isReady = (port: number) => async (): Promise<boolean> =>
  (await fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(2000) })).ok;
