// `npm test`: every test. Arguments after `--` go to vitest, e.g. `npm test -- --project unit`.
import { build, install, runTool } from "./bootstrap.mjs";

install();
build();
process.exitCode = runTool("vitest", ["run", ...process.argv.slice(2)]);
