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
      testTimeout: 3_600_000,
      hookTimeout: 120_000,
      disableConsoleIntercept: true,
    },
  }),
);
