// `npm run torture`: faults, one after the other, and a table of what they cost. `LONG=1` is the form whose figures are published.
import { build, install, runTool } from "./bootstrap.mjs";

install();
build();
process.exitCode = runTool("vitest", [
  "run",
  "--config",
  "vitest.torture.config.ts",
  // Cuts of ten minutes, side by side; the short form keeps a small machine's own slowness out of the figures.
  `--maxConcurrency=${process.env.LONG === "1" ? 40 : 5}`,
  ...process.argv.slice(2),
]);
