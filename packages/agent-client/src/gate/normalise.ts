import {
  type Action,
  assertJson,
  canonicalBytes,
  type Precondition,
  ProtocolError,
} from "@countersign/shared";
import { capturePreconditions, type Measures } from "../preconditions/registry.js";
import { type Described, type Executor, InvalidCall, type ToolCall } from "./executor.js";

/** A call of the gate's own: nobody else holds it, so nobody changes it while it is looked at. */
export interface OwnCall {
  call: ToolCall;
  /** As JSON, in the order it came. */
  text: string;
  executor: Executor;
}

export type Normalised = { ok: true; own: OwnCall } | { ok: false; code: string };

/** Strict JSON, a known tool, and no more members than a call has. */
export function normalise(given: unknown, executors: ReadonlyMap<string, Executor>): Normalised {
  try {
    assertJson(given);
    const text = JSON.stringify(given);
    const call: unknown = JSON.parse(text);
    if (!isCall(call)) return { ok: false, code: "invalid_call" };
    const executor = executors.get(call.tool);
    if (!executor) return { ok: false, code: "unknown_tool" };
    return { ok: true, own: { call: deepFreeze(call), text, executor } };
  } catch (error) {
    if (error instanceof ProtocolError || error instanceof TypeError) {
      return { ok: false, code: "invalid_call" };
    }
    throw error;
  }
}

/** By hand, because every call comes through here and a schema takes as long as all the rest. */
const isCall = (value: unknown): value is ToolCall =>
  value !== null &&
  typeof value === "object" &&
  Object.keys(value).length === 2 &&
  "tool" in value &&
  typeof value.tool === "string" &&
  "args" in value;

/** A call as its executor understands it, and the action it would be. */
export interface Understood {
  described: Described;
  action: Action;
}

/** @returns what it is, or the code of why it is none */
export async function understand(
  { call, executor }: OwnCall,
  measures: Measures,
  signal: AbortSignal,
): Promise<Understood | string> {
  let described: Described;
  try {
    described = await executor.describe(call, { signal });
  } catch (error) {
    return error instanceof InvalidCall ? error.code : "not_described";
  }
  const { preconditions: wanted = [], reversible = false, ...rest } = described.proposal;
  if (rest.tool !== call.tool) return "not_described";
  let preconditions: Precondition[] = [];
  if (wanted.length > 0) {
    const captured = await capturePreconditions(wanted, measures);
    if (!captured.ok) return captured.code;
    preconditions = captured.preconditions;
  }
  const action: Action = { v: 1, ...rest, preconditions, reversible };
  try {
    // Its shape is the compiler's affair, its values are not; what goes to a phone is read by the whole schema there.
    assertJson(action);
    return { described, action: deepFreeze(action) };
  } catch {
    return "not_described";
  }
}

/** Whether two looks at a call saw the same thing: what would be done, to what, and in what surroundings. */
export function isSame(one: Understood, other: Understood): boolean {
  return fingerprint(one) === fingerprint(other);
}

const fingerprint = ({ action, described }: Understood): string => {
  const { family, resource, extent, context } = described;
  return new TextDecoder().decode(canonicalBytes({ action, family, resource, extent, context }));
};

function deepFreeze<T>(value: T): T {
  if (value !== null && typeof value === "object") {
    for (const inner of Object.values(value)) deepFreeze(inner);
    Object.freeze(value);
  }
  return value;
}
