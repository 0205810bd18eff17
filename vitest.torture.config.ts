import { defineConfig, mergeConfig } from "vitest/config";
import base from "./vitest.config.js";

/** `npm run torture`: one file after the other, so that a figure is one fault's and nobody else's. */
export default mergeConfig(
  { ...base, test: { globalSetup: base.test?.globalSetup } },
  defineConfig({
    resolve: { conditions: ["@countersign/source", "module", "node", "development|production"] },
    test: {
      include: ["apps/*/src/**/*.torture.ts"],
      fileParallelism: false,
      // Cuts of ten minutes, side by side; the short form keeps a small machine's own slowness out of the figures.
      maxConcurrency: process.env["LONG"] === "1" ? 40 : 5,
      testTimeout: 3_600_000,
      hookTimeout: 120_000,
      disableConsoleIntercept: true,
    },
  }),
);
