import { area, concurrency, name } from "./scripts/mutation-areas.mjs";

export default {
  testRunner: "vitest",
  vitest: { configFile: "vitest.mutation.config.ts", related: false },
  plugins: ["@stryker-mutator/vitest-runner"],
  mutate: [...area.mutate, "!**/*.test.ts"],
  // What the tests read, and nothing that was built.
  ignorePatterns: ["/apps/pwa", "/bench", "/e2e", "/examples", "dist", "dist-faults"],
  coverageAnalysis: "perTest",
  incrementalFile: `.cache/mutation/${name}.json`,
  tempDirName: ".cache/mutation/sandbox",
  reporters: ["clear-text", "json", "progress-append-only"],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  jsonReporter: { fileName: `.cache/mutation/${name}.report.json` },
  concurrency,
  timeoutMS: 20_000,
  allowEmpty: false,
  thresholds: { high: 90, low: 90, break: 90 },
};
