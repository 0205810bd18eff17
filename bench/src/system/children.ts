import { setTimeout as sleep } from "node:timers/promises";
import { childrenOf, descendants } from "./processes.js";

const patienceMilliseconds = 10_000;

/** Processes that outlive a row: what was there before it, and the run's own database. */
export type Kept = ReadonlySet<number>;

export const ownChildren = (): number[] => childrenOf(process.pid);

/** Ends in order what this process started and does not keep; what does not end, with all below it, at once. */
export async function endChildren(kept: Kept): Promise<void> {
  const left = () => ownChildren().filter((pid) => !kept.has(pid));
  const below = left().flatMap((pid) => [pid, ...descendants(pid)]);
  signal(left(), "SIGTERM");
  for (let waited = 0; left().length > 0 && waited < patienceMilliseconds; waited += 100) {
    await sleep(100);
  }
  // A database whose broker was killed has another parent by now.
  if (left().length > 0) signal(below, "SIGKILL");
}

/** For a process that ends and can wait for nothing any more. */
export const killChildren = (): void => signal(descendants(process.pid), "SIGKILL");

function signal(pids: readonly number[], name: "SIGTERM" | "SIGKILL"): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch {
      // It has ended by itself.
    }
  }
}
