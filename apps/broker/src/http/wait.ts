import type { Broker } from "../broker.js";

/** Who waits hears of changes, and is not kept when the process ends. */
type Waited = Pick<Broker, "bus" | "ending">;

/**
 * Resolves at the next hint on a topic, when the time is over, or when the caller or this broker goes away; starts
 * listening at once, so that nothing is missed between a read and the wait after it. Says whether there was a hint.
 */
function nextHint(
  { bus, ending }: Waited,
  topic: string,
  signal: AbortSignal,
): { wait(milliseconds: number): Promise<boolean>; stop(): void } {
  let hinted = false;
  let wake = () => {};
  const unsubscribe = bus.subscribe(topic, () => {
    hinted = true;
    wake();
  });
  const onAbort = () => wake();
  signal.addEventListener("abort", onAbort);
  const stopListening = ending.whenItBegins(onAbort);
  return {
    async wait(milliseconds) {
      if (!hinted && !signal.aborted && !ending.hasBegun() && milliseconds > 0) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, milliseconds);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      const heard = hinted;
      hinted = false;
      return heard;
    },
    stop() {
      unsubscribe();
      signal.removeEventListener("abort", onAbort);
      stopListening();
      wake();
    },
  };
}

/**
 * Reads until the answer is another one than the caller already has, or the time is over.
 * @param read reads the truth; is called once more at the end
 */
export async function longPoll<T>(
  broker: Waited,
  topic: string,
  signal: AbortSignal,
  milliseconds: number,
  read: (hinted: boolean) => Promise<T>,
  isNews: (value: T) => boolean,
): Promise<T> {
  const deadline = performance.now() + milliseconds;
  const hint = nextHint(broker, topic, signal);
  try {
    for (let hinted = false; ; ) {
      const value = await read(hinted);
      const left = deadline - performance.now();
      if (isNews(value) || left <= 0 || signal.aborted || broker.ending.hasBegun()) return value;
      // A hint can be lost; the truth is read again once a second.
      hinted = await hint.wait(Math.min(left, 1000));
    }
  } finally {
    hint.stop();
  }
}
