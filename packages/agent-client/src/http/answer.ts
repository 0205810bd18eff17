import { type Bytes, type Json, problem } from "@countersign/shared";
import * as z from "zod/mini";
import type { HttpReply } from "./transport.js";

/** What a call to the broker came to. `code` is one word of this library's or the broker's; never free text. */
export type CallAnswer<T> =
  | { ok: true; value: T }
  | { ok: false; transient: true; code: string; retryAfterMs: number }
  | { ok: false; transient: false; code: string; status: number; body: Json | undefined };

/** Reads a reply by its schema. Whatever does not fit is a refusal of its own, `invalid_response`. */
export function toAnswer<T>(reply: HttpReply, schema: z.ZodMiniType<T>): CallAnswer<T> {
  if (reply.kind === "no_reply") {
    const transient = reply.reason === "network" || reply.reason === "timeout";
    return transient
      ? { ok: false, transient, code: reply.reason, retryAfterMs: 0 }
      : { ok: false, transient, code: reply.reason, status: 0, body: undefined };
  }
  const { status, body, retryAfterMs } = reply;
  if (status >= 200 && status < 300) {
    const parsed = z.safeParse(schema, body);
    if (parsed.success) return { ok: true, value: parsed.data };
    return { ok: false, transient: false, code: "invalid_response", status, body: undefined };
  }
  const code = codeOf(body);
  // 429 without an OAuth code of its own is a limit somewhere on the way; the server's own trouble passes.
  if (status >= 500 || (status === 429 && code !== "too_many_pending")) {
    return { ok: false, transient: true, code, retryAfterMs };
  }
  return { ok: false, transient: false, code, status, body };
}

/** For what is not JSON: the log's octets as they came. */
export function toOctets(reply: HttpReply): CallAnswer<Bytes> {
  const found = reply.kind === "reply" && reply.status >= 200 && reply.status < 300;
  if (found) return { ok: true, value: reply.octets };
  const refused = toAnswer(reply, nothing);
  return refused.ok ? { ...refused, value: new Uint8Array() } : refused;
}

/** Beside OAuth's word the broker gives its own code, which says more where OAuth's says little. */
const oauthRefusal = z.object({ error: z.string(), code: z.optional(z.string()) });

/** A server's words end up in logs and at models: only what looks like a code passes. */
function codeOf(body: Json | undefined): string {
  const oauth = z.safeParse(oauthRefusal, body).data;
  const vague = oauth?.error === "invalid_request" && oauth.code !== undefined;
  const word = vague ? oauth.code : (oauth?.error ?? z.safeParse(problem, body).data?.code);
  return word !== undefined && /^[a-z_]{1,64}$/.test(word) ? word : "invalid_response";
}

/** For calls whose success says nothing more. */
export const nothing: z.ZodMiniType<unknown> = z.unknown();
