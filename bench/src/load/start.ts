import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { FromLoad, LoadOptions, LoadResult, ToLoad } from "./api.js";

const program = fileURLToPath(new URL("process.ts", import.meta.url));

/** TypeScript as it lies here, workspace packages by their sources. */
export const typescriptOptions = ["--import", "tsx", "--conditions=@countersign/source"];

export interface RunningLoad {
  /** Prepares, then runs so many with so many in flight. */
  run(count: number, inFlight: number): Promise<LoadResult>;
  close(): Promise<void>;
}

/** What was prepared is signed for the moment: it has to be used within a minute, on a slow machine too. */
const freshMilliseconds = 20_000;
const firstBatch = 32;

const add = (one: LoadResult, other: LoadResult): LoadResult => ({
  milliseconds: one.milliseconds + other.milliseconds,
  cpuMilliseconds: one.cpuMilliseconds + other.cpuMilliseconds,
  serverCpuMilliseconds: one.serverCpuMilliseconds + other.serverCpuMilliseconds,
  took: [...one.took, ...other.took],
});

/** Starts a load generator as a process of its own. */
export async function startLoad(options: LoadOptions): Promise<RunningLoad> {
  const child = fork(program, { execArgv: typescriptOptions });
  let answered = (_: FromLoad): void => {};
  child.on("message", (answer: FromLoad) => answered(answer));
  child.once("exit", () => answered({ failed: `the ${options.kind} load ended` }));
  const ask = async (message: ToLoad): Promise<FromLoad> => {
    const answer = await new Promise<FromLoad>((resolve) => {
      answered = resolve;
      // Without somebody to tell, a process that has gone would end this one too.
      child.send(message, (error) => {
        if (error) answered({ failed: `the ${options.kind} load ended` });
      });
    });
    if ("failed" in answer) throw new Error(answer.failed);
    return answer;
  };
  await ask({ open: options });
  return {
    async run(count, inFlight) {
      let sum: LoadResult = {
        milliseconds: 0,
        cpuMilliseconds: 0,
        serverCpuMilliseconds: 0,
        took: [],
      };
      for (let batch = firstBatch; sum.took.length < count; ) {
        const wanted = Math.min(batch, count - sum.took.length);
        await ask({ prepare: wanted });
        const answer = await ask({ run: { count: wanted, inFlight } });
        if (!("result" in answer)) throw new Error("no result");
        sum = add(sum, answer.result);
        batch = Math.max(
          inFlight,
          Math.floor((wanted * freshMilliseconds) / answer.result.milliseconds),
        );
      }
      return sum;
    },
    async close() {
      await ask({ close: true });
      const gone = once(child, "exit");
      child.disconnect();
      await gone;
    },
  };
}
