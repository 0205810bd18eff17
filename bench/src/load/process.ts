import { cpuMilliseconds } from "../measure.js";
import type { FromLoad, Load, LoadOptions, LoadResult, ToLoad } from "./api.js";
import { openBareSql } from "./bare-sql.js";
import { openCountersign } from "./countersign.js";
import { openOidc } from "./oidc.js";

// What a load generator's process runs: it does what its parent says, one message after the other.

const kinds: Record<LoadOptions["kind"], (options: LoadOptions) => Promise<Load>> = {
  countersign: openCountersign,
  oidc: openOidc,
  "bare-sql": openBareSql,
};

let load: Load | undefined;

async function run(given: Load, count: number, inFlight: number): Promise<LoadResult> {
  const took: number[] = [];
  let started = 0;
  const serverCpu = () => given.pids.reduce((sum, pid) => sum + cpuMilliseconds(pid), 0);
  const serverBefore = serverCpu();
  const before = process.cpuUsage();
  const began = performance.now();
  const worker = async (): Promise<void> => {
    while (started < count) {
      started += 1;
      const at = performance.now();
      await given.one();
      took.push(performance.now() - at);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  const milliseconds = performance.now() - began;
  const { user, system } = process.cpuUsage(before);
  return {
    milliseconds,
    cpuMilliseconds: (user + system) / 1000,
    serverCpuMilliseconds: serverCpu() - serverBefore,
    took,
  };
}

async function obey(message: ToLoad): Promise<FromLoad> {
  if ("open" in message) load = await kinds[message.open.kind](message.open);
  if (!load) throw new Error("nothing is open");
  if ("prepare" in message) await load.prepare(message.prepare);
  if ("run" in message) {
    return { result: await run(load, message.run.count, message.run.inFlight) };
  }
  if ("close" in message) await load.close();
  return { done: true };
}

process.on("message", (message: ToLoad) => {
  obey(message)
    .catch((error: unknown): FromLoad => ({ failed: String((error as Error).stack ?? error) }))
    .then((answer) => process.send?.(answer));
});
process.on("disconnect", () => process.exit());
