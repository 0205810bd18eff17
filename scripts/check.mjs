// `npm run check`: everything that can be said about the code without running it. All checks run, so that one go shows all faults.
import { install, runNode, runTool, turbo } from "./bootstrap.mjs";

install();
const results = {
  types: turbo(["typecheck", "--output-logs=errors-only", "--continue"]),
  "lint and format": runTool("biome", ["check", "--error-on-warnings"]),
  bans: runNode(["scripts/bans.mjs"]),
  dependencies: runNode(["scripts/check-dependencies.mjs"]),
  documents: runNode(["scripts/check-documents.mjs"]),
  "unused code": runTool("knip", []),
};
const failed = Object.keys(results).filter((name) => results[name] !== 0);
console.log(failed.length === 0 ? "All checks passed." : `Failed: ${failed.join(", ")}.`);
process.exitCode = failed.length === 0 ? 0 : 1;
