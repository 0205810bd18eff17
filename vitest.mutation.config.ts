import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import {
  BaseSequencer,
  type Reporter,
  type RunnerTask,
  type RunnerTestCase,
  type RunnerTestFile,
  type TestSpecification,
} from "vitest/node";
import { area } from "./scripts/mutation-areas.mjs";

const conditions = ["@countersign/source", "module", "node", "development|production"];

/**
 * Vitest leaves out the tests behind a hook that fails, and all of a file that cannot be read. Stryker looks at tests alone, and
 * would count the mutant that broke them as alive: so they fail here.
 */
const failWhatCannotRun: Reporter = {
  onTestRunEnd(modules) {
    for (const { task } of modules) {
      const { result, tasks } = task as RunnerTestFile;
      if (tasks.length === 0 && result?.state === "fail") tasks.push(unread(task));
      for (const inner of tasks) fail(inner, result);
    }
  },
};

const unread = (file: RunnerTestFile): RunnerTestCase =>
  ({ type: "test", name: "can be read", file, mode: "run" }) as RunnerTestCase;

function fail(task: RunnerTask, around: RunnerTask["result"]): void {
  const broken = around?.state === "fail" && around.errors?.length ? around : undefined;
  if (task.type === "test" && broken) Object.assign(task, { mode: "run", result: broken });
  if (task.type === "suite") for (const inner of task.tasks) fail(inner, broken ?? task.result);
}

/** In the order in which the area names its tests: the first that fails ends the run, and what comes after is not even read. */
class QuickestFirst extends BaseSequencer {
  override async sort(specifications: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = area.tests.findIndex((test) => moduleId.endsWith(test));
      return at < 0 ? area.tests.length : at;
    };
    return specifications.toSorted((a, b) => rank(a) - rank(b));
  }
}

/** `npm run mutate`: the tests of one area, in a copy of the repository whose packages have to be that copy's. */
export default defineConfig({
  resolve: {
    conditions,
    alias: [
      {
        find: /^@countersign\/shared$/,
        replacement: fileURLToPath(new URL("packages/shared/src/index.ts", import.meta.url)),
      },
    ],
  },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: area.tests,
    setupFiles: ["scripts/mutation-seed.mjs"],
    reporters: [failWhatCannotRun],
    // One start of everything for all files; the next mutant gets a thread of its own again.
    isolate: false,
    sequence: { sequencer: QuickestFirst },
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
});
