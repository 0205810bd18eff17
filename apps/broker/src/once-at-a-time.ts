import { setTimeout as sleep } from "node:timers/promises";

/** Runs the work at once; asked meanwhile or just after, however often, it runs once more. */
export function onceAtATime(
  work: () => Promise<void>,
  { pauseMilliseconds, onError }: { pauseMilliseconds: number; onError: (error: unknown) => void },
): () => Promise<void> {
  let running = false;
  let again = false;
  return async () => {
    again = true;
    if (running) return;
    running = true;
    while (again) {
      again = false;
      await work().catch(onError);
      await sleep(pauseMilliseconds, undefined, { ref: false });
    }
    running = false;
  };
}
