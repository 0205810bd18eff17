import { readFileSync } from "node:fs";

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const index = Math.min(sorted.length - 1, Math.floor(sorted.length * share));
  return sorted[index] ?? Number.NaN;
}

export const median = (values: readonly number[]): number => percentile(values, 0.5);

/** After this a row goes no further round: the whole table takes ten minutes at most, on a slow machine too. */
const roundsMilliseconds = 30_000;
/** The first may be for warming up. */
const fewestRounds = 2;

/**
 * Runs the contenders one after the other, again and again (A B A B ...), so that whatever else the machine
 * does falls on all of them alike.
 * @param rounds how many, where the machine is fast enough
 * @returns what each run of each contender gave, in order
 */
export async function interleave<Name extends string, Value>(
  rounds: number,
  contenders: Record<Name, () => Promise<Value>>,
): Promise<Record<Name, Value[]>> {
  const names = Object.keys(contenders) as Name[];
  const results = Object.fromEntries(names.map((name) => [name, []])) as unknown as Record<
    Name,
    Value[]
  >;
  const began = performance.now();
  for (let round = 0; round < rounds; round++) {
    if (round >= fewestRounds && performance.now() - began > roundsMilliseconds) break;
    for (const name of names) results[name].push(await contenders[name]());
  }
  return results;
}

/** The median of the rounds' own ratios: a slow moment of the machine spoils one round, not the figure. */
export function ratioOf(ours: readonly number[], theirs: readonly number[]): number {
  return median(ours.map((value, round) => value / (theirs[round] ?? Number.NaN)));
}

/**
 * Microseconds of CPU for one call, of an average over `milliseconds`; this process's other threads included, where a
 * call goes to one. Not time on the clock: that is whoever's else uses the machine too.
 */
export async function timePerCall(milliseconds: number, call: () => unknown): Promise<number> {
  const before = process.cpuUsage();
  let calls = 0;
  let elapsed = 0;
  while (elapsed < milliseconds) {
    for (let index = 0; index < 16; index++) await call();
    calls += 16;
    const { user, system } = process.cpuUsage(before);
    elapsed = (user + system) / 1000;
  }
  return (elapsed * 1000) / calls;
}

const ticksPerSecond = 100;

/** CPU milliseconds that a process has used, its threads included. Linux only. */
export function cpuMilliseconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / ticksPerSecond;
}

/** Bytes of memory that belong to this process alone, or its share of what several hold. Linux only. */
export function proportionalBytes(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  return Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1] ?? 0) * 1024;
}
