import { request as requestPlain } from "node:http";
import { request as requestTls } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { egressBlocked, isPublicAddress } from "@countersign/egress";
import { ExecutionError } from "./execution-error.js";

/** A request as it is sent: nothing is added but its length and `Connection: close`. */
export interface HttpCall {
  url: URL;
  method: string;
  headers: Readonly<Record<string, string>>;
  body: Uint8Array;
}

export interface HttpAnswer {
  status: number;
  headers: Readonly<Record<string, string>>;
  bytes: Buffer;
  /** There was more than is kept. */
  truncated: boolean;
}

const maxAnswerBytes = 1024 * 1024;
const timeoutMs = 60_000;

/** Whether a URL names a machine by an address that is not everybody's. */
export function isPrivateAddress({ hostname }: URL): boolean {
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  return isIP(host) !== 0 && !isPublicAddress(host);
}

/**
 * Sends one request over a connection of its own, so over none that somebody else opened, and follows no redirect.
 * @throws ExecutionError `egress_blocked`, `timeout`, `aborted`, `not_reached`
 */
export function send(
  { url, method, headers, body }: HttpCall,
  { lookup, signal }: { lookup?: LookupFunction; signal: AbortSignal },
): Promise<HttpAnswer> {
  const timeout = AbortSignal.timeout(timeoutMs);
  const request = url.protocol === "https:" ? requestTls : requestPlain;
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown) => reject(new ExecutionError(codeOf(cause), { cause }));
    const codeOf = (cause: unknown) => {
      if (signal.aborted) return "aborted";
      if (timeout.aborted) return "timeout";
      const isBlocked = (cause as NodeJS.ErrnoException).code === egressBlocked;
      return isBlocked ? "egress_blocked" : "not_reached";
    };
    const sent = request(url, {
      method,
      headers: { ...headers, "content-length": String(body.length), connection: "close" },
      agent: false,
      signal: AbortSignal.any([signal, timeout]),
      ...(lookup ? { lookup } : {}),
    });
    sent.on("error", fail);
    sent.on("response", (response) => {
      const chunks: Buffer[] = [];
      let kept = 0;
      const finish = (truncated: boolean) => {
        const { statusCode: status = 0 } = response;
        const told = Object.entries(response.headers).flatMap(([name, value]) =>
          typeof value === "string" ? [[name, value]] : [],
        );
        const bytes = Buffer.concat(chunks);
        resolve({ status, headers: Object.fromEntries(told), bytes, truncated });
      };
      response.on("data", (chunk: Buffer) => {
        const head = chunk.subarray(0, maxAnswerBytes - kept);
        chunks.push(head);
        kept += head.length;
        if (head.length === chunk.length) return;
        finish(true);
        sent.destroy();
      });
      response.on("end", () => finish(false));
      response.on("error", fail);
    });
    sent.end(body);
  });
}
