import { BlockList, isIP } from "node:net";
import { ProtocolError } from "@countersign/shared";
import type { MiddlewareHandler } from "hono";
import type { HttpEnv } from "./context.js";

/** What every answer carries. */
export const securityHeaders = (secure: boolean): MiddlewareHandler<HttpEnv> => {
  const headers: Record<string, string> = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy":
      "publickey-credentials-get=(self), publickey-credentials-create=(self), camera=(self), geolocation=(), microphone=()",
    ...(secure ? { "strict-transport-security": "max-age=31536000" } : {}),
  };
  return async (c, next) => {
    await next();
    if (c.env.outgoing.headersSent) return;
    for (const [name, value] of Object.entries(headers)) c.res.headers.set(name, value);
    if (!c.res.headers.has("cache-control")) c.res.headers.set("cache-control", "no-store");
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

/** The caller's address: the socket's, or what a proxy of ours says. Anybody else's header says nothing. */
export const clientAddress = (trustedProxies: readonly string[]): MiddlewareHandler<HttpEnv> => {
  const trusted = toBlockList(trustedProxies);
  const isTrusted = (address: string): boolean =>
    isIP(address) !== 0 && trusted.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
  return async (c, next) => {
    const peer = (c.env.incoming.socket.remoteAddress ?? "").replace(/^::ffff:/, "");
    const forwarded = (c.req.header("x-forwarded-for") ?? "").split(",").map((part) => part.trim());
    const chain = [...forwarded.filter((part) => isIP(part) !== 0), peer];
    let index = chain.length - 1;
    while (index > 0 && isTrusted(chain[index] as string)) index--;
    c.set("clientAddress", chain[index] ?? peer);
    await next();
  };
};

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
