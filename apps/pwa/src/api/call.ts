import { type ErrorCode, errorTable, parse, problem } from "@countersign/shared";
import type { ZodMiniType } from "zod/mini";
import { noteServerDate } from "../clock.js";
import { reachable } from "./reachable.js";

/** Longer than the server's longest long poll (25 s). */
const timeoutMs = 40_000;

export type CallFailure = ErrorCode | "unreachable" | "unexpected_answer";

/** A call that did not give what was asked for. The code is the server's, or says that there was no usable answer. */
export class CallError extends Error {
  override readonly name = "CallError";
  readonly code: CallFailure;

  constructor(code: CallFailure, options?: ErrorOptions) {
    super(code, options);
    this.code = code;
  }
}

interface CallInit {
  method?: "GET" | "POST" | "PUT" | "DELETE";
  body?: unknown;
  signal?: AbortSignal | undefined;
}

/**
 * Calls the broker and reads its JSON.
 * @throws CallError with the problem's `code`, `unreachable`, or `unexpected_answer`
 */
export async function call<T>(
  schema: ZodMiniType<T>,
  path: string,
  init: CallInit = {},
): Promise<T> {
  const response = await send(path, init);
  try {
    return parse(schema, parseAnswer(await response.text()));
  } catch (cause) {
    throw new CallError("unexpected_answer", { cause });
  }
}

/**
 * Calls the broker where only success matters.
 * @throws CallError as {@link call}
 */
export async function callForEffect(path: string, init: CallInit): Promise<void> {
  const response = await send(path, init);
  // An answer that nobody reads is cut off by the next navigation, and shows up as a failed call.
  await response.text().catch(() => undefined);
}

/**
 * Fetches octets as they are: what is hashed is what arrived.
 * @throws CallError as {@link call}
 */
export async function callForBytes(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const response = await send(path, {});
  try {
    return new Uint8Array(await response.arrayBuffer());
  } catch (cause) {
    throw new CallError("unreachable", { cause });
  }
}

async function send(path: string, { method = "GET", body, signal }: CallInit): Promise<Response> {
  const timeout = AbortSignal.timeout(timeoutMs);
  let response: Response;
  try {
    response = await fetch(path, {
      method,
      credentials: "same-origin",
      cache: "no-store",
      redirect: "error",
      signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      // The broker takes no change without this type: a form of another site cannot send it.
      ...(method === "GET" ? {} : { headers: { "content-type": "application/json" } }),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (cause) {
    if (!signal?.aborted) reachable.value = false;
    throw new CallError("unreachable", { cause });
  }
  reachable.value = true;
  noteServerDate(response.headers.get("date"));
  if (!response.ok) throw new CallError(await failureOf(response));
  return response;
}

async function failureOf(response: Response): Promise<CallFailure> {
  try {
    const { code } = parse(problem, parseAnswer(await response.text()));
    return Object.hasOwn(errorTable, code) ? (code as ErrorCode) : "unexpected_answer";
  } catch {
    return response.status >= 500 ? "unavailable" : "unexpected_answer";
  }
}

/**
 * No ceremony signs bytes that a server chose (protocol section 2): an answer with a `challenge`
 * anywhere in it is refused whole, so that no later code can come to use it.
 */
function parseAnswer(text: string): unknown {
  return JSON.parse(text, (member, value) => {
    if (member === "challenge") throw new CallError("unexpected_answer");
    return value;
  });
}
