import { setTimeout as sleep } from "node:timers/promises";
import { renderTable, writeReport } from "./report.js";
import { type Bench, type Findings, failed, type Row } from "./row.js";
import { rows } from "./rows.js";
import { endChildren, killChildren, ownChildren } from "./system/children.js";
import { type DatabaseServer, startDatabaseServer } from "./system/server.js";

// `npm run bench`: every row, or those that are named. `--long` takes the goals' own sizes, `--smoke` only proves that rows run.

const words = process.argv.slice(2);
const options = new Set(words.filter((word) => word.startsWith("--")));
const names = words.filter((word) => !word.startsWith("--"));
const unknown = [
  ...names.filter((name) => !rows.some((row) => row.name === name)),
  ...[...options].filter((option) => !["--long", "--smoke"].includes(option)),
];
if (unknown.length > 0) {
  console.error(`Unknown: ${unknown.join(", ")}. Rows: ${rows.map(({ name }) => name).join(", ")}`);
  process.exit(1);
}

/** What takes longer hangs. The table's rows are made for less than a minute each. */
const rowSeconds = options.has("--long") ? 3600 : 300;

const kept = new Set(ownChildren());
let started: Promise<DatabaseServer> | undefined;
async function startDatabase(): Promise<DatabaseServer> {
  const before = new Set(ownChildren());
  const server = await startDatabaseServer();
  for (const pid of ownChildren()) if (!before.has(pid)) kept.add(pid);
  return server;
}

async function stop(): Promise<void> {
  await endChildren(kept);
  await (await started)?.stop();
}

/** However this ends, nothing that it started goes on. */
let stopping: Promise<void> | undefined;
for (const name of ["SIGINT", "SIGTERM"] as const) {
  process.once(name, () => {
    console.error(`${name}: ending what was started`);
    stopping ??= stop().finally(() => process.exit(1));
  });
}
process.on("exit", killChildren);

async function run(row: Row, bench: Bench): Promise<Findings> {
  const measured = row.run(bench);
  // Of a row that was given up: its processes end under it.
  measured.catch(() => undefined);
  const waiting = new AbortController();
  const tooLong = sleep(rowSeconds * 1000, undefined, { signal: waiting.signal }).then(() => {
    throw new Error(`took longer than ${rowSeconds} s`);
  });
  try {
    return await Promise.race([measured, tooLong]);
  } finally {
    tooLong.catch(() => undefined);
    waiting.abort();
    await endChildren(kept);
  }
}

const chosen = rows.filter(({ name }) => names.length === 0 || names.includes(name));
const began = performance.now();
const seconds = (): string => ((performance.now() - began) / 1000).toFixed(0).padStart(4);

const found = new Map<string, Findings>();
let failures = 0;
for (const row of chosen) {
  await stopping;
  const bench: Bench = {
    smoke: options.has("--smoke"),
    long: options.has("--long"),
    databases: () => (started ??= startDatabase()),
    progress: (text) => console.error(`${seconds()} s  ${row.name}: ${text}`),
  };
  bench.progress("begins");
  try {
    found.set(row.name, await run(row, bench));
  } catch (error) {
    failures += 1;
    found.set(row.name, failed(row.name, error));
    console.error(`${row.name} failed:`, error);
  }
}
await (stopping ?? stop());

console.log(renderTable([...found.values()].flatMap(({ lines }) => lines)));
const whole = chosen.length === rows.length && !options.has("--smoke");
if (whole) await writeReport(found, { long: options.has("--long"), seconds: Number(seconds()) });
process.exitCode = failures === 0 ? 0 : 1;
