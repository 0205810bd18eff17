import { BlockList, isIP } from "node:net";
import { ProtocolError } from "@countersign/shared";
import type { MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import type { HttpEnv } from "./context.js";
import type { FailureLimit } from "./limits.js";

/** What every answer carries, unless its route says something else. */
export const securityHeaders = (secure: boolean): MiddlewareHandler<HttpEnv> => {
  const headers: Record<string, string> = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy":
      "publickey-credentials-get=(self), publickey-credentials-create=(self), camera=(self), geolocation=(), microphone=()",
    ...(secure ? { "strict-transport-security": "max-age=31536000; includeSubDomains" } : {}),
  };
  return async (c, next) => {
    // On the socket's own answer: streams are written straight to it.
    for (const [name, value] of Object.entries(headers)) c.env.outgoing.setHeader(name, value);
    await next();
  };
};

/** Answers under the public name only: a page that points its own name here (DNS rebinding) gets nothing. */
export const requireHost = (origin: string): MiddlewareHandler<HttpEnv> => {
  const { host } = new URL(origin);
  return async (c, next) => {
    if (c.req.header("host") !== host) throw new ProtocolError("wrong_host");
    await next();
  };
};

/**
 * Agents' calls from an address where too many were refused lately are refused unread: each guess costs us a
 * query or a signature check.
 */
export const limitFailures =
  (failures: FailureLimit): MiddlewareHandler<HttpEnv> =>
  async (c, next) => {
    const address = c.get("clientAddress");
    await failures.check(address);
    await next();
    if (c.res.status === 401) await failures.count(address);
  };

/**
 * Refuses larger bodies. One that says its length can have no more (RFC 9112, 6.3), and is let on by that alone: asking
 * for the body makes a whole `Request` and a stream of its own first.
 */
export const limitBody = (maxSize: number): MiddlewareHandler<HttpEnv> => {
  const limit = bodyLimit({ maxSize });
  return (c, next) => {
    const length = c.req.header("content-length");
    const isSmall = length !== undefined && Number(length) <= maxSize;
    return isSmall && c.req.header("transfer-encoding") === undefined ? next() : limit(c, next);
  };
};

/** The caller's address: the socket's, or what a proxy of ours says. Anybody else's header says nothing. */
export const clientAddress = (trustedProxies: readonly string[]): MiddlewareHandler<HttpEnv> => {
  const trusted = toBlockList(trustedProxies);
  const isTrusted = (address: string): boolean =>
    isIP(address) !== 0 && trusted.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
  return async (c, next) => {
    const peer = asIPv4(c.env.incoming.socket.remoteAddress ?? "");
    const forwarded = (c.req.header("x-forwarded-for") ?? "")
      .split(",")
      .map((part) => asIPv4(part.trim()));
    let address = peer;
    // From the right: each was written by the one after it. Behind an entry that is no address stands nobody's word.
    for (const entry of forwarded.reverse()) {
      if (!isTrusted(address) || isIP(entry) === 0) break;
      address = entry;
    }
    c.set("clientAddress", networkOf(address));
    await next();
  };
};

/** Sockets that hear both kinds write IPv4 addresses like this, ours and a proxy's: all of them would be one network. */
const asIPv4 = (address: string): string => address.replace(/^::ffff:(?=[\d.]+$)/i, "");

/** What one subscriber has: an IPv4 address, or the /64 of an IPv6 one. */
function networkOf(address: string): string {
  if (isIP(address) !== 6) return address;
  const [head = "", tail = ""] = address.split("::");
  const [left, right] = [head, tail].map((part) => part.split(":").filter((group) => group !== ""));
  const zeros = Array<string>(8 - (left?.length ?? 0) - (right?.length ?? 0)).fill("0");
  return `${[...(left ?? []), ...zeros, ...(right ?? [])].slice(0, 4).join(":")}::/64`;
}

function toBlockList(entries: readonly string[]): BlockList {
  const list = new BlockList();
  for (const entry of entries) {
    const [address = "", prefix] = entry.split("/");
    const family = isIP(address) === 6 ? "ipv6" : "ipv4";
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  return list;
}
