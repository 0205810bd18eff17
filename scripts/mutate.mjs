// `npm run mutate -- statement`: changes the code of an area bit by bit, and shows each change that no test of it notices.
// With `--incremental` only what changed since the last such run. `MUTATION_CONCURRENCY` is 1 unless said otherwise.
import { fail, install, runTool } from "./bootstrap.mjs";
import { areas } from "./mutation-areas.mjs";

const [name, ...more] = process.argv.slice(2);
if (!Object.hasOwn(areas, name ?? "")) {
  fail(`Name an area: npm run mutate -- ${Object.keys(areas).join(" | ")}`);
}
install();
process.exitCode = runTool("stryker", ["run", ...more], {
  MUTATION_AREA: name,
  VIEW_FUZZ_RUNS: "25",
});
