import { build, install, runNode } from "./bootstrap.mjs";

install();
build(["@countersign/broker", "@countersign/pwa", "@countersign/agent-client"]);
// TypeScript as it lies there: what is measured is either built, or called often enough not to care.
process.exitCode = runNode([
  ...["--import", "tsx", "--conditions=@countersign/source"],
  "bench/src/main.ts",
  ...process.argv.slice(2),
]);
