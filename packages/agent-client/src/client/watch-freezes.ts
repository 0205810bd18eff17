import { ClientError } from "../errors.js";
import { backOffMs, pause } from "../http/retry.js";
import { refreshPins } from "./chain.js";
import type { ClientContext } from "./context.js";
import { frozenBy } from "./freeze.js";

/** How often a home that nobody is paired with is looked at again. */
const unpairedMs = 1_000;

/**
 * Tells whenever an approver stops this agent or lets it go on, for as long as `signal` lets it. The stream's events
 * are hints: what counts is the F in the approver's chain, verified and kept like every other. Each new connection
 * looks at the chains first, so that nothing said meanwhile is missed.
 * @returns when the state that the disk knows was told; the rest goes on in the background
 */
export async function watchFreezes(
  context: () => Promise<ClientContext>,
  onChange: (approver: string | undefined) => void,
  signal: AbortSignal,
): Promise<void> {
  const current = await connected(context);
  if (current) onChange(frozenBy(await current.pins.all()));
  void listen(context, onChange, signal);
}

async function listen(
  context: () => Promise<ClientContext>,
  onChange: (approver: string | undefined) => void,
  signal: AbortSignal,
): Promise<void> {
  for (let failures = 0; !signal.aborted; ) {
    const current = await connected(context).catch(() => undefined);
    if (!current) {
      await pause(unpairedMs, signal);
      continue;
    }
    const look = lookOneAtATime(current, onChange, signal);
    const opened = await current.broker.events((name) => void (name === "freeze" && look()), {
      onOpen: look,
      signal,
    });
    failures = opened ? 0 : failures + 1;
    await pause(backOffMs(failures), signal);
  }
}

/** Looks at the chains; asked again while it looks, it looks once more, however often it was asked. */
function lookOneAtATime(
  context: ClientContext,
  onChange: (approver: string | undefined) => void,
  signal: AbortSignal,
): () => void {
  let looking = false;
  let again = false;
  async function look(): Promise<void> {
    again = looking;
    if (looking) return;
    looking = true;
    do {
      again = false;
      const pins = await context.pins.all();
      const approvers = pins.map(({ approver }) => approver);
      const untilMs = context.clock.monotonic() + context.retryForMs;
      await refreshPins(context, approvers, { untilMs, signal });
      onChange(frozenBy(await context.pins.all()));
    } while (again && !signal.aborted);
    looking = false;
  }
  return () => {
    look().catch(() => {
      looking = false;
      context.logger.warn("the approvers' chains could not be looked at", {});
    });
  };
}

async function connected(context: () => Promise<ClientContext>) {
  try {
    return await context();
  } catch (error) {
    if (error instanceof ClientError && error.code === "not_paired") return undefined;
    throw error;
  }
}
