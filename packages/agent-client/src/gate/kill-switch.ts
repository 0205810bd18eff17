import type { ClientParts } from "../client/parts.js";
import { watchFreezes } from "../client/watch-freezes.js";

/** Who stopped this agent, and a signal for whatever is under way. */
export interface KillSwitch {
  frozenBy(): string | undefined;
  /** Aborted by a freeze; a new one when it is lifted. */
  signal(): AbortSignal;
  close(): void;
}

/** Stops the gate when an approver freezes the agent on the phone, and lets it go on when they lift it. */
export async function openKillSwitch({ context, logger }: ClientParts): Promise<KillSwitch> {
  const closed = new AbortController();
  let approver: string | undefined;
  let running = new AbortController();
  await watchFreezes(
    context,
    (by) => {
      if (by === approver) return;
      approver = by;
      if (by === undefined) running = new AbortController();
      else running.abort();
      logger.info(by === undefined ? "not frozen any more" : "frozen", { approver: by ?? "" });
    },
    closed.signal,
  );
  return {
    frozenBy: () => approver,
    signal: () => running.signal,
    close: () => closed.abort(),
  };
}
