import {
  type Action,
  action as actionSchema,
  canonicalBytes,
  type Json,
  type Precondition,
  ProtocolError,
} from "@countersign/shared";
import * as z from "zod/mini";
import { capturePreconditions, type Measures } from "../preconditions/registry.js";
import { type Described, type Executor, InvalidCall, type ToolCall } from "./executor.js";

/** A call of the gate's own: nobody else holds it, so nobody changes it while it is looked at. */
export interface OwnCall {
  call: ToolCall;
  bytes: Uint8Array;
  executor: Executor;
}

export type Normalised = { ok: true; own: OwnCall } | { ok: false; code: string };

const callSchema = z.strictObject({ tool: z.string(), args: z.custom<Json>() });

/** Strict JSON, a known tool, and no more members than a call has. */
export function normalise(given: unknown, executors: ReadonlyMap<string, Executor>): Normalised {
  try {
    const bytes = canonicalBytes(given);
    const parsed = z.safeParse(callSchema, JSON.parse(new TextDecoder().decode(bytes)));
    if (!parsed.success || parsed.data.args === undefined)
      return { ok: false, code: "invalid_call" };
    const executor = executors.get(parsed.data.tool);
    if (!executor) return { ok: false, code: "unknown_tool" };
    return { ok: true, own: { call: deepFreeze(parsed.data), bytes, executor } };
  } catch (error) {
    if (error instanceof ProtocolError || error instanceof TypeError) {
      return { ok: false, code: "invalid_call" };
    }
    throw error;
  }
}

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
  const action = z.safeParse(actionSchema, { v: 1, ...rest, preconditions, reversible });
  return action.success ? { described, action: deepFreeze(action.data) } : "not_described";
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
