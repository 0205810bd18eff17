import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { kindOf } from "../executors/directory.js";
import { ExecutionError } from "../executors/execution-error.js";
import type { Roots } from "../executors/roots.js";
import type { RunCommand } from "../executors/run-command.js";
import { parseVirtualPath } from "../executors/virtual-path.js";
import type { Invariant } from "./plan.js";

const portMs = 10_000;
const commandMs = 120_000;

interface CheckContext {
  roots: Roots;
  runCommand: RunCommand | undefined;
  signal: AbortSignal;
}

/** @throws ExecutionError `invariant_broken` at the first that does not hold, or that nobody can check */
export async function requireAll(
  invariants: readonly Invariant[],
  context: CheckContext,
): Promise<void> {
  for (const invariant of invariants) {
    const holds = await check(invariant, context).catch(() => false);
    if (!holds) throw new ExecutionError("invariant_broken");
  }
}

async function check(invariant: Invariant, context: CheckContext): Promise<boolean> {
  const { roots, runCommand, signal } = context;
  switch (invariant.kind) {
    case "command": {
      const { program, args, cwd, timeout_ms: timeoutMs = commandMs } = invariant;
      const ended = await runCommand?.({ argv: [program, ...args], cwd, timeoutMs }, { signal });
      return ended?.exitCode === 0;
    }
    case "file": {
      const { parent, name } = await roots.openParent(parseVirtualPath(invariant.path));
      const kind = await kindOf(parent, name).finally(() => parent.close());
      return kind === (invariant.is === "present" ? "file" : "absent");
    }
    case "port":
      return takesConnections(invariant, signal);
  }
}

/** What was just started may need a moment. */
async function takesConnections(
  { host, port }: { host: string; port: number },
  signal: AbortSignal,
): Promise<boolean> {
  const until = performance.now() + portMs;
  while (performance.now() < until && !signal.aborted) {
    const socket = connect({ host, port, signal });
    const connected = once(socket, "connect").then(
      () => true,
      () => false,
    );
    const answer = await Promise.race([connected, sleep(2_000, false, { ref: false })]);
    socket.destroy();
    if (answer) return true;
    await sleep(100);
  }
  return false;
}
