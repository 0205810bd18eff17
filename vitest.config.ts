import { defineConfig } from "vitest/config";

/** Workspace packages are read as source, so that unit tests need no build. */
const conditions = ["@countersign/source", "module", "node", "development|production"];
/** What is waited for may take longer than vitest's one second on a machine that does something else too. */
const expect = { poll: { timeout: 20_000 } };
/** These end a test that hangs, and judge no speed: a machine that does much else is many times slower than an idle one. */
const unitTimeouts = { testTimeout: 60_000, hookTimeout: 60_000 };
const browserTimeouts = { testTimeout: 120_000, hookTimeout: 120_000 };
const shared = {
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
};

export default defineConfig({
  test: {
    // Most tests wait for a browser or a database; vitest would leave one of two cores to itself.
    maxWorkers: 2,
    globalSetup: ["packages/test-kit/src/global-setup.ts"],
    projects: [
      {
        ...shared,
        test: {
          name: "unit",
          include: ["packages/*/src/**/*.test.ts", "apps/*/src/**/*.test.{ts,tsx}"],
          ...unitTimeouts,
          expect,
        },
      },
      {
        ...shared,
        test: {
          name: "e2e",
          include: ["e2e/**/*.test.ts"],
          ...browserTimeouts,
          expect,
        },
      },
    ],
  },
});
