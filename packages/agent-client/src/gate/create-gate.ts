import { join } from "node:path";
import { randomId } from "@countersign/shared";
import type { Pending } from "../client/answer.js";
import type { Client } from "../client/create-client.js";
import { type ClientParts, partsOf } from "../client/parts.js";
import type { RequestOptions } from "../client/request.js";
import { ClientError } from "../errors.js";
import { openPrivateDirectory } from "../home/durable-file.js";
import type { Classifier } from "./classifier.js";
import type { Confirm } from "./confirm.js";
import type { GateContext } from "./context.js";
import { openDecisionJournal } from "./decision-journal.js";
import { openDenials } from "./denials.js";
import type { Executor, ToolCall } from "./executor.js";
import { openKeys } from "./keys.js";
import { openKillSwitch } from "./kill-switch.js";
import { createLimits, type Limits } from "./limits.js";
import type { GateOutcome } from "./outcome.js";
import { openPolicy, type PolicyFiles } from "./policy/files.js";
import { createReplays } from "./replays.js";
import { type RunOptions, runCall } from "./run.js";
import { type UndoOutcome, undoCall } from "./undo.js";
import { openUndos } from "./undos.js";

export interface GateOptions {
  /** The connection to the broker: made by `createClient`, nothing else will do. */
  client: Client;
  /** The only hands there are. Keep none of them elsewhere: what the model can reach beside the gate is not gated. */
  executors: readonly Executor[];
  /**
   * Your own policy, read again whenever the file changes. Keep it, as the home directory, out of the model's reach.
   * Default: the policy that ships with the package.
   */
  policy?: PolicyFiles;
  /** What becomes of a call that no rule matches: a person decides, or nobody does. Default: "red". */
  noRule?: "red" | "refuse";
  /** A second model's opinion; see `aiSdkClassifier`. It can only raise a tier. */
  classifier?: Classifier;
  /** Asks in passing, where a call is yellow. Without it yellow goes to the phone. */
  confirm?: Confirm;
  /** How long `confirm` may take. Default: 30. */
  confirmForSeconds?: number;
  limits?: Limits;
  /** How long what was refused is not asked again. Default: 900. */
  rememberDenialsForSeconds?: number;
  /** Who is asked on the phone, how many of them, and for how long. */
  asking?: Pick<RequestOptions, "approvers" | "quorum" | "expiresInSeconds">;
  /** Called with each request: show its match code beside the agent. */
  onPending?: (pending: Pending) => void;
}

/** A model proposes, the gate decides, and only then something happens. */
export interface Gate {
  /** @throws only where the gate itself cannot work (a full disk, a damaged home); then nothing was executed */
  run(call: ToolCall, options?: RunOptions): Promise<GateOutcome>;
  /** Takes back what a call did. @param which its decision's id, or its request's */
  undo(which: string): Promise<UndoOutcome>;
  /**
   * Reads the policy files again now. A bad policy changes nothing.
   * @throws ClientError `policy_invalid`
   */
  reloadPolicy(): Promise<void>;
  /** Ends the connection and writes down what is buffered. Calls after it are refused. */
  close(): Promise<void>;
}

/** @throws ClientError `invalid_options`, `policy_invalid`, `home_unsafe`, `home_corrupt` */
export async function createGate(options: GateOptions): Promise<Gate> {
  const parts = partsOf(options.client);
  const { clock, logger } = parts;
  const executors = byTool(options.executors);
  const limits = createLimits(options.limits ?? {}, clock);
  const home = join(parts.home, "gate");
  await openPrivateDirectory(home);
  const policy = await openPolicy(options.policy, logger);
  const session = randomId();
  const gate: GateContext = {
    ...{ client: options.client, parts, executors, limits, session },
    policy: policy.current,
    noRule: options.noRule ?? "red",
    classifier: options.classifier,
    confirm: options.confirm,
    confirmForMs: (options.confirmForSeconds ?? 30) * 1000,
    denials: await openDenials(home, clock, options.rememberDenialsForSeconds ?? 900),
    journal: await openDecisionJournal(home, session, () => clock.now()),
    keys: await openKeys(home),
    undos: await openUndos(home),
    kill: await openKillSwitch(parts),
    agent: await nameOfAgent(parts),
    asking: options.asking ?? {},
    onPending: options.onPending,
  };
  const replays = createReplays();
  let closed = false;
  return {
    run(call, running = {}) {
      if (closed) return Promise.reject(new ClientError("gate_closed"));
      return replays.once(call, running.key, () => runCall(gate, call, running));
    },
    undo: (which) => undoCall(gate, which),
    reloadPolicy: policy.reload,
    async close() {
      closed = true;
      policy.close();
      gate.kill.close();
      await gate.journal.close();
    },
  };
}

async function nameOfAgent({ context }: ClientParts): Promise<string> {
  try {
    return (await context()).key.kid;
  } catch (error) {
    if (error instanceof ClientError && error.code === "not_paired") return "not paired";
    throw error;
  }
}

function byTool(executors: readonly Executor[]): ReadonlyMap<string, Executor> {
  const found = new Map<string, Executor>();
  for (const executor of executors) {
    for (const tool of executor.tools) {
      if (found.has(tool))
        throw new ClientError("invalid_options", { detail: `executors: ${tool}` });
      found.set(tool, executor);
    }
  }
  return found;
}
