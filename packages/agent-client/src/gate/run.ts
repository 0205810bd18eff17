import { randomUUID } from "node:crypto";
import { canonicalBytes, sha256Text } from "@countersign/shared";
import type { GateContext } from "./context.js";
import type { Taken } from "./limits.js";
import { isSame, normalise, type OwnCall, type Understood, understand } from "./normalise.js";
import type { Decision, GateOutcome } from "./outcome.js";
import { currentDepth, perform } from "./perform.js";
import { askOnPhone } from "./red.js";
import { aborted, type Weight, weigh } from "./weigh.js";

export interface RunOptions {
  /** Takes the call back until it is executed; from then on it is the executor's. */
  signal?: AbortSignal;
  /**
   * Names this call: given again, it comes to what it came to, and is executed no second time. What a person is asked
   * for is remembered over restarts.
   */
  key?: string;
  /** The model's own sentence, shown to the person last and quoted. */
  agentClaim?: string;
}

/** How often a call is looked at anew when the world changes while somebody is asked about it. */
const maxLooks = 3;

type Result = GateOutcome extends infer O
  ? O extends GateOutcome
    ? Omit<O, "decision">
    : never
  : never;

/** One call on its way. */
interface Running {
  id: string;
  own: OwnCall;
  call: string;
  options: RunOptions;
  signal: AbortSignal;
  tier?: Decision["tier"];
  reasons: readonly string[];
}

/**
 * The path of a call through the gate, in its order: read strictly, look for a stop, look at it without effect, what
 * was refused before, limits, policy, classifiers, and then green runs, yellow is asked about, red goes to the phone.
 */
export async function runCall(
  gate: GateContext,
  given: unknown,
  options: RunOptions,
): Promise<GateOutcome> {
  const id = freshId();
  const normal = normalise(given, gate.executors);
  if (!normal.ok) return refused(gate, id, normal.code);
  const { own } = normal;
  const kill = gate.kill.signal();
  const running: Running = {
    ...{ id, own, options, reasons: [] },
    call: gate.journal.nameOf(own.text),
    signal: options.signal ? AbortSignal.any([options.signal, kill]) : kill,
  };
  const result = stopped(gate, running) ?? (await look(gate, running));
  const outcome = { ...result, decision: decisionOf(running) } as GateOutcome;
  await noteOutcome(gate, id, result);
  return outcome;
}

/** What happened has happened: a journal that cannot be written keeps the next call from it, and this one's answer is told. */
async function noteOutcome({ journal, parts }: GateContext, id: string, result: Result) {
  try {
    journal.append({ kind: "outcome", id, ...told(result) });
    if (result.status === "approved") await journal.sync();
  } catch {
    parts.logger.warn("what a call came to is not in the journal", { id });
  }
}

/** 122 random bits; unlike `randomId` it draws them in advance, which a green call can tell. */
const freshId = (): string =>
  Buffer.from(randomUUID().replaceAll("-", ""), "hex").toString("base64url");

/** What is no call at all has no path. */
function refused(gate: GateContext, id: string, code: string): GateOutcome {
  const status = "refused_by_policy";
  gate.journal.append({ kind: "outcome", id, status, code });
  return { status, code, decision: { id, reasons: [`gate:${code}`] } };
}

const decisionOf = ({ id, tier, reasons }: Running): Decision => ({
  id,
  ...(tier === undefined ? {} : { tier }),
  reasons,
});

const told = (result: Result) => ({
  status: result.status,
  ...("outcome" in result && typeof result.outcome === "string" ? { outcome: result.outcome } : {}),
  ...("code" in result ? { code: result.code } : {}),
  ...("rid" in result && result.rid !== undefined ? { rid: result.rid } : {}),
});

/** A freeze comes before a caller who gave up: it says more. */
function stopped(gate: GateContext, { signal }: Running): Result | undefined {
  const approver = gate.kill.frozenBy();
  if (approver !== undefined) return { status: "frozen", approver };
  return signal.aborted ? { status: "canceled" } : undefined;
}

function refuse(running: Running, code: string, reasons: readonly string[] = []): Result {
  running.reasons = [...reasons, `gate:${code}`];
  return { status: "refused_by_policy", code };
}

async function look(gate: GateContext, running: Running): Promise<Result> {
  for (let looks = 1; ; looks++) {
    const understood = await understand(running.own, gate.parts.measures, running.signal);
    if (typeof understood === "string") return refuse(running, understood);
    if (gate.denials.isDenied(understood.action)) {
      return refuse(running, "denied_before");
    }
    const depth = currentDepth();
    const taken = gate.limits.take(understood.described, depth);
    let result: Result | "changed" | undefined;
    try {
      result = await weighAndAct(gate, running, understood, { taken, depth });
    } finally {
      taken.end();
      const happened = typeof result === "object" && "outcome" in result;
      if (!happened) taken.giveBack();
    }
    if (result !== "changed") return result;
    if (looks === maxLooks) return refuse(running, "does_not_hold_still");
  }
}

async function weighAndAct(
  gate: GateContext,
  running: Running,
  understood: Understood,
  { taken, depth }: { taken: Taken; depth: number },
): Promise<Result | "changed"> {
  const weighed = await weigh(gate, understood, { taken, depth, signal: running.signal });
  const weight = await raisedIfAsked(gate, running, weighed);
  running.reasons = weight.reasons;
  record(gate, running, understood, weight);
  if (weight.verdict === "refused") return { status: "refused_by_policy", code: weight.code };
  if (weight.tier === "yellow" && gate.confirm) {
    running.tier = "yellow";
    return inPassing(gate, running, understood);
  }
  if (weight.tier !== "green") return onPhone(gate, running, understood, taken);
  running.tier = "green";
  if (weight.asked && !(await stillSame(gate, running, understood))) return "changed";
  return act(gate, running, understood, "green");
}

/** A person was asked for this key once: it comes to what that came to, however harmless it looks by now. */
async function raisedIfAsked(
  gate: GateContext,
  { options }: Running,
  weight: Weight,
): Promise<Weight> {
  if (weight.verdict === "refused" || weight.tier === "red" || options.key === undefined)
    return weight;
  if ((await gate.keys.find(options.key)) === undefined) return weight;
  return { ...weight, tier: "red", reasons: [...weight.reasons, "gate:asked_before"] };
}

function record(gate: GateContext, { id, own, call }: Running, seen: Understood, weight: Weight) {
  const { family, resource } = seen.described;
  gate.journal.append({
    ...{ kind: "decision", id, call, tool: own.call.tool, family, resource: resource.type },
    ...(weight.verdict === "tier" ? { tier: weight.tier } : {}),
    // Rules and limits by name; what classifiers and commands say may hold arguments.
    rules: weight.reasons.flatMap(
      (reason) => /^(policy|limit|gate):[\w.-]+/.exec(reason)?.[0] ?? [],
    ),
  });
}

/** The world may have changed while somebody was asked: what was looked at must be what is there. */
async function stillSame(gate: GateContext, running: Running, seen: Understood): Promise<boolean> {
  const now = await understand(running.own, gate.parts.measures, running.signal);
  return typeof now === "object" && isSame(seen, now);
}

async function act(
  gate: GateContext,
  running: Running,
  { action }: Understood,
  tier: "green" | "yellow",
): Promise<Result> {
  const stop = stopped(gate, running);
  if (stop) return stop;
  const done = { status: "executed", tier } as const;
  try {
    const at = { executor: running.own.executor, id: running.id };
    return {
      ...done,
      outcome: "succeeded",
      value: await perform(gate, at, action, running.signal),
    };
  } catch (error) {
    return { ...done, outcome: "failed", error };
  }
}

async function inPassing(
  gate: GateContext,
  running: Running,
  understood: Understood,
): Promise<Result | "changed"> {
  const { action } = understood;
  const signal = AbortSignal.any([running.signal, AbortSignal.timeout(gate.confirmForMs)]);
  const asked = gate.confirm?.({ action, reasons: running.reasons }, { signal });
  const reply = await Promise.race([asked, aborted(signal)]).catch(() => "no_answer" as const);
  const stop = stopped(gate, running);
  if (stop) return stop;
  if (reply === "no") {
    await gate.denials.remember(action);
    return { status: "declined", code: "said_no" };
  }
  if (reply !== "yes" || signal.aborted) {
    return { status: "declined", code: reply === "unclear" ? "unclear" : "no_answer" };
  }
  if (!(await stillSame(gate, running, understood))) return "changed";
  return act(gate, running, understood, "yellow");
}

async function onPhone(
  gate: GateContext,
  running: Running,
  understood: Understood,
  taken: Taken,
): Promise<Result> {
  const { id, own, signal, options } = running;
  running.tier = "red";
  if (taken.exceeded.length > 0) {
    running.reasons = [...running.reasons, "Approving renews the limits that are used up"];
  }
  await gate.journal.sync();
  const keyed = options.key === undefined ? undefined : { key: options.key, call: hashOf(own) };
  const answer = await askOnPhone(gate, {
    ...{ id, own, understood, keyed, signal, reasons: running.reasons },
    agentClaim: options.agentClaim,
  });
  if (answer.status === "denied") await gate.denials.remember(understood.action);
  if (answer.status === "approved") taken.renew();
  const approver = gate.kill.frozenBy();
  if (answer.status === "canceled" && approver !== undefined) {
    return { status: "frozen", approver, rid: answer.rid };
  }
  return answer;
}

const hashOf = ({ call }: OwnCall): string => sha256Text(canonicalBytes(call));
