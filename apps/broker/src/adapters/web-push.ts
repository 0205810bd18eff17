import type { IncomingMessage } from "node:http";
import { type Agent, request } from "node:https";
import { egressBlocked } from "@countersign/egress";
import webPush from "web-push";
import type { PushResult, PushTarget, VapidKeys, WebPush } from "../domain/ports.js";
import { readPushEndpoint } from "../domain/push-endpoint.js";
import type { OutgoingPush } from "../domain/push-message.js";

export const makeVapidKeys = (): VapidKeys => webPush.generateVAPIDKeys();

export interface WebPushOptions {
  vapid: VapidKeys & { subject: string };
  /** Hosts that may be called. */
  hosts: readonly string[];
  /** Opens the connections, and decides where to. */
  agent: Agent;
  timeoutMilliseconds: number;
}

/**
 * Web push: the library encrypts (RFC 8291) and signs (RFC 8292); sending is ours, since its own sending follows
 * the environment's proxy and takes no guard for the lookup.
 */
export const createWebPush = ({
  vapid,
  hosts,
  agent,
  timeoutMilliseconds,
}: WebPushOptions): WebPush => ({
  applicationServerKey: vapid.publicKey,
  readEndpoint: (text) => readPushEndpoint(text, hosts)?.href,
  async send(target, push, signal) {
    const endpoint = readPushEndpoint(target.endpoint, hosts);
    // The list may have become shorter since the browser subscribed.
    if (!endpoint) return { outcome: "blocked" };
    try {
      const timeout = AbortSignal.timeout(timeoutMilliseconds);
      const details = encrypt(target, push, vapid);
      return readAnswer(await post(endpoint, details, agent, AbortSignal.any([signal, timeout])));
    } catch (error) {
      return { outcome: isBlocked(error) ? "blocked" : "unreachable" };
    }
  },
});

function encrypt(
  { endpoint, p256dh, auth }: PushTarget,
  push: OutgoingPush,
  vapidDetails: WebPushOptions["vapid"],
) {
  return webPush.generateRequestDetails(
    { endpoint, keys: { p256dh, auth } },
    JSON.stringify(push.message),
    {
      vapidDetails,
      TTL: push.ttlSeconds,
      urgency: push.urgency,
      topic: push.topic,
      contentEncoding: "aes128gcm",
    },
  );
}

/** Resolves with the head of the answer. A redirect is an answer like any other, and is not followed. */
function post(
  url: URL,
  { headers, body }: webPush.RequestDetails,
  agent: Agent,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const call = request(url, {
      method: "POST",
      headers: headers as Record<string, string>,
      agent,
      signal,
      maxHeaderSize: 8192,
    });
    call.once("response", (response) => {
      // Nobody reads what it says; a connection may be used again once a short body is through.
      response.once("data", () => response.destroy());
      response.on("error", () => {});
      resolve(response);
    });
    call.on("error", reject);
    call.end(body);
  });
}

/** RFC 8030 sections 5 and 7.3, and what push services do beside it. */
function readAnswer({ statusCode = 0, headers }: IncomingMessage): PushResult {
  if (statusCode >= 200 && statusCode < 300) return { outcome: "accepted" };
  if (statusCode === 404 || statusCode === 410) return { outcome: "gone" };
  if (statusCode === 429 || statusCode >= 500) {
    return { outcome: "busy", ...readRetryAfter(headers["retry-after"]) };
  }
  return { outcome: "refused" };
}

/** Seconds, or a date (RFC 9110 section 10.2.3). */
function readRetryAfter(header: string | undefined): { retryAfterSeconds?: number } {
  if (header === undefined) return {};
  const seconds = /^\d{1,9}$/.test(header)
    ? Number(header)
    : Math.ceil((Date.parse(header) - Date.now()) / 1000);
  return Number.isFinite(seconds) ? { retryAfterSeconds: Math.max(0, seconds) } : {};
}

const isBlocked = (error: unknown): boolean =>
  error instanceof Error && "code" in error && error.code === egressBlocked;
