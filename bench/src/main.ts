import { renderTable, writeReport } from "./report.js";
import type { Bench, Findings } from "./row.js";
import { rows } from "./rows.js";
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

let started: Promise<DatabaseServer> | undefined;
const chosen = rows.filter(({ name }) => names.length === 0 || names.includes(name));
const began = performance.now();
const seconds = (): string => ((performance.now() - began) / 1000).toFixed(0).padStart(4);

const found = new Map<string, Findings>();
let failures = 0;
for (const row of chosen) {
  const bench: Bench = {
    smoke: options.has("--smoke"),
    long: options.has("--long"),
    databases: () => (started ??= startDatabaseServer()),
    progress: (text) => console.error(`${seconds()} s  ${row.name}: ${text}`),
  };
  bench.progress("begins");
  try {
    found.set(row.name, await row.run(bench));
  } catch (error) {
    failures += 1;
    console.error(`${row.name} failed:`, error);
  }
}
await (await started)?.stop();

console.log(renderTable([...found.values()].flatMap(({ lines }) => lines)));
const whole = chosen.length === rows.length && !options.has("--smoke") && failures === 0;
if (whole) await writeReport(found, { long: options.has("--long"), seconds: Number(seconds()) });
process.exitCode = failures === 0 ? 0 : 1;
