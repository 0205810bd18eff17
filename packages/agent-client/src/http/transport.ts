import { type Bytes, concat, type Json, parseStrict } from "@countersign/shared";
import type { Clock } from "../clock.js";

/** Evidence of a large quorum is the largest thing that a broker ever answers. */
const maxReplyBytes = 4 * 1024 * 1024;

export interface HttpCall {
  method: "GET" | "POST" | "PUT" | "DELETE";
  url: string;
  headers: Record<string, string>;
  body?: string | Bytes;
  timeoutMs: number;
  signal?: AbortSignal | undefined;
}

/** What came back: a status with a JSON body (undefined where there was none that is strict JSON), or nothing. */
export type HttpReply =
  | { kind: "reply"; status: number; octets: Bytes; body: Json | undefined; retryAfterMs: number }
  | { kind: "no_reply"; reason: "network" | "timeout" | "aborted" | "too_large" };

/** The broker's `Date`, and when it was heard by the agent's own monotonic clock. */
export interface ServerTime {
  dateMs: number;
  heardAtMs: number;
}

export interface Transport {
  send(call: HttpCall): Promise<HttpReply>;
  /** A reply whose body goes on: `timeoutMs` is for its head alone. Undefined where there was none. */
  open(call: Omit<HttpCall, "method" | "body">): Promise<Response | undefined>;
  /** The newest `Date` that the broker sent; undefined before its first reply. */
  serverTime(): ServerTime | undefined;
}

/** One place where bytes from the network come in: bounded in time and size, never redirected, never logged. */
export function createTransport(fetch: typeof globalThis.fetch, clock: Clock): Transport {
  let heard: ServerTime | undefined;
  return {
    serverTime: () => heard,
    async open({ url, headers, timeoutMs, signal }) {
      const late = new AbortController();
      const timer = setTimeout(() => late.abort(), timeoutMs);
      const either = signal ? AbortSignal.any([signal, late.signal]) : late.signal;
      try {
        return await fetch(url, { headers, redirect: "error", signal: either });
      } catch {
        return undefined;
      } finally {
        clearTimeout(timer);
      }
    },
    async send({ url, timeoutMs, signal, ...call }) {
      const timeout = AbortSignal.timeout(timeoutMs);
      const either = signal ? AbortSignal.any([signal, timeout]) : timeout;
      try {
        const response = await fetch(url, { ...call, redirect: "error", signal: either });
        const dateMs = Date.parse(response.headers.get("date") ?? "");
        if (Number.isFinite(dateMs)) heard = { dateMs, heardAtMs: clock.monotonic() };
        const octets = await readBounded(response);
        if (!octets) return { kind: "no_reply", reason: "too_large" };
        return {
          kind: "reply",
          status: response.status,
          octets,
          body: readJson(octets),
          retryAfterMs: retryAfterMs(response.headers.get("retry-after")),
        };
      } catch {
        if (signal?.aborted) return { kind: "no_reply", reason: "aborted" };
        return { kind: "no_reply", reason: timeout.aborted ? "timeout" : "network" };
      }
    },
  };
}

async function readBounded(response: Response): Promise<Bytes | null> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > maxReplyBytes) return null;
    chunks.push(chunk);
  }
  return concat(...chunks);
}

/** A proxy's HTML page is as good as no body: the status alone then decides. */
function readJson(octets: Bytes): Json | undefined {
  try {
    return octets.length === 0 ? undefined : parseStrict(octets);
  } catch {
    return undefined;
  }
}

function retryAfterMs(header: string | null): number {
  return header !== null && /^\d{1,4}$/.test(header) ? Number(header) * 1000 : 0;
}
