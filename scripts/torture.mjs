// `npm run torture`: faults, one after the other, and a table of what they cost. `LONG=1` is the form whose figures are published.
import { build, install, runTool } from "./bootstrap.mjs";

install();
build();
process.exitCode = runTool("vitest", [
  "run",
  "--config",
  "vitest.torture.config.ts",
  ...process.argv.slice(2),
]);
