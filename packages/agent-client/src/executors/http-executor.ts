import type { LookupFunction } from "node:net";
import { publicLookup, type Resolve } from "@countersign/egress";
import { canonicalBytes, type Json, json, parse } from "@countersign/shared";
import * as z from "zod/mini";
import { ClientError } from "../errors.js";
import { type Executor, InvalidCall, type ToolCall } from "../gate/executor.js";
import { textOf } from "./edit.js";
import { type HttpCall, isPrivateAddress, send } from "./http-request.js";
import { saidBy } from "./said.js";

export interface HttpExecutorOptions {
  /** What may be asked: `https://api.example.com`. Their names must lead to public addresses. */
  origins: readonly string[];
  /** What may be asked wherever it is: `http://localhost:3000`. */
  privateOrigins?: readonly string[];
  /** Looks names up. Default: as the system does. */
  resolve?: Resolve;
}

const args = z.strictObject({
  url: z.string().check(z.maxLength(8000)),
  method: z.string(),
  headers: z.optional(z.record(z.string(), z.string())),
  body: z.optional(json),
});

const methods = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"];

/** What the connection is made of, and not the request; and what makes of the method another one. */
const reserved =
  /^(host|connection|keep-alive|content-length|transfer-encoding|te|trailer|upgrade|expect|proxy-.*|x-(http-)?method(-override)?)$/;

/** Of an answer's headers, those that a model has a use for: no cookies. */
const told = ["content-type", "location", "etag", "last-modified", "link", "retry-after"];

/**
 * `http.request` to the origins on the list, and to public addresses only, unless it is on the other list. A redirect is
 * an answer: where it leads is a call of its own.
 * @throws ClientError `invalid_options`
 */
export function httpExecutor(options: HttpExecutorOptions): Executor {
  const { origins, privateOrigins = [], resolve } = options;
  const places = new Map<string, { lookup?: LookupFunction }>();
  for (const origin of origins) places.set(readOrigin(origin), { lookup: publicLookup(resolve) });
  for (const origin of privateOrigins) places.set(readOrigin(origin), {});
  const placeOf = (url: URL) => {
    const place = places.get(url.origin);
    if (!place) throw new InvalidCall("origin_not_allowed");
    if (place.lookup && isPrivateAddress(url)) throw new InvalidCall("egress_blocked");
    return place;
  };
  return {
    tools: ["http.request"],
    async describe(call) {
      const { http, normal } = readCall(call);
      const { url, method, headers, body } = http;
      placeOf(url);
      const said = saidBy(url, headers);
      return {
        proposal: { tool: call.tool, args: normal, preconditions: [], reversible: false },
        family: "request",
        resource: {
          type: "Url",
          id: url.href,
          attributes: {
            ...{ scheme: url.protocol.slice(0, -1), host: url.hostname, path: url.pathname },
            ...{ method, allowed: true },
            port: Number(url.port) || (url.protocol === "https:" ? 443 : 80),
            said_bytes: said.bytes,
            body_bytes: body.length,
          },
        },
        extent: { bytes: body.length },
        context: { host: url.hostname, url: url.href, has_secret: said.hasSecret },
      };
    },
    async execute(action, { signal }) {
      const { http } = readCall(action);
      const { status, headers, bytes, truncated } = await send(http, {
        ...placeOf(http.url),
        signal,
      });
      const text = textOf(bytes);
      const shown = told.flatMap((name) => {
        const value = headers[name];
        return value === undefined ? [] : [[name, value]];
      });
      const body = text === undefined ? { base64: bytes.toString("base64") } : { body: text };
      return { value: { status, headers: Object.fromEntries(shown), ...body, truncated } };
    },
  };
}

function readOrigin(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isOrigin = url?.origin === text.replace(/\/$/, "") && /^https?:$/.test(url?.protocol ?? "");
  if (!url || !isOrigin) throw new ClientError("invalid_options", { detail: `origin ${text}` });
  return url.origin;
}

/**
 * The request that a call is, and its arguments in the spelling that is sent.
 * @throws InvalidCall
 */
function readCall({ tool, args: given }: ToolCall): { http: HttpCall; normal: Json } {
  if (tool !== "http.request") throw new InvalidCall("tool_unknown");
  const { url: text, method: named, headers = {}, body } = readArguments(given);
  const url = readUrl(text);
  const method = named.toUpperCase();
  if (!methods.includes(method)) throw new InvalidCall("method_not_allowed");
  const bytes = bytesOf(body);
  if (bytes.length > 0 && (method === "GET" || method === "HEAD")) {
    throw new InvalidCall("body_not_allowed");
  }
  const sent = readHeaders(headers);
  if (body !== undefined && typeof body !== "string") sent["content-type"] ??= "application/json";
  const normal = {
    ...{ url: url.href, method },
    ...(Object.keys(sent).length > 0 ? { headers: sent } : {}),
    ...(body === undefined ? {} : { body }),
  };
  return { http: { url, method, headers: sent, body: bytes }, normal };
}

function readArguments(given: Json) {
  try {
    return parse(args, given);
  } catch (cause) {
    throw new InvalidCall("arguments_invalid", { cause });
  }
}

function readUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain =
    url && /^https?:$/.test(url.protocol) && url.username === "" && url.password === "";
  if (!isPlain) throw new InvalidCall("url_invalid");
  url.hash = "";
  return url;
}

const bytesOf = (body: Json | undefined): Uint8Array => {
  if (body === undefined) return new Uint8Array();
  return typeof body === "string" ? Buffer.from(body) : canonicalBytes(body);
};

function readHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const read = new Map<string, string>();
  for (const [given, value] of Object.entries(headers)) {
    const name = given.toLowerCase();
    const isSound = /^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(name) && /^[\t -~]*$/.test(value);
    if (!isSound || reserved.test(name) || read.has(name)) throw new InvalidCall("header_invalid");
    read.set(name, value);
  }
  return Object.fromEntries(read);
}
