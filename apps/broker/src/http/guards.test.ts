import type { HttpBindings } from "@hono/node-server";
import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import { readEnvironment } from "../env.js";
import type { HttpEnv } from "./context.js";
import { clientAddress } from "./guards.js";

/** The address by which a caller is counted. */
async function addressOf(peer: string, forwarded?: string, trusted = ["10.0.0.0/8", "fd00::1"]) {
  const app = new Hono<HttpEnv>()
    .use(clientAddress(trusted))
    .get("/", (c) => c.text(c.get("clientAddress")));
  const headers: Record<string, string> =
    forwarded === undefined ? {} : { "x-forwarded-for": forwarded };
  const incoming = { socket: { remoteAddress: peer } } as unknown as HttpBindings["incoming"];
  return (await app.request("/", { headers }, { incoming } as HttpBindings)).text();
}

describe("a caller's address", () => {
  it.each([
    ["is the socket's", "203.0.113.7", undefined, "203.0.113.7"],
    ["is the socket's, whatever a stranger says", "203.0.113.7", "198.51.100.1", "203.0.113.7"],
    ["is what a proxy of ours says", "10.1.2.3", "203.0.113.7", "203.0.113.7"],
    [
      "is the last that a proxy of ours says",
      "10.1.2.3",
      "198.51.100.1, 203.0.113.7",
      "203.0.113.7",
    ],
    [
      "is found behind two of our proxies",
      "10.1.2.3",
      "198.51.100.1, 203.0.113.7, 10.9.9.9",
      "203.0.113.7",
    ],
    [
      "is not behind a stranger's proxy",
      "10.1.2.3",
      "198.51.100.1, 203.0.113.7, 192.0.2.1",
      "192.0.2.1",
    ],
    [
      "is the proxy's where what it says is no address",
      "10.1.2.3",
      "198.51.100.1, 203.0.113.7:4711",
      "10.1.2.3",
    ],
    ["is the proxy's where it says nothing", "10.1.2.3", "", "10.1.2.3"],
    ["is the first where all are ours", "10.1.2.3", "10.0.0.5", "10.0.0.5"],
    ["is an IPv4 one in IPv6's clothes", "::ffff:203.0.113.7", undefined, "203.0.113.7"],
    ["is one of those behind a proxy too", "10.1.2.3", "::ffff:203.0.113.7", "203.0.113.7"],
    [
      "is found behind two of our proxies in IPv6's clothes",
      "10.1.2.3",
      "203.0.113.7, ::ffff:10.9.9.9",
      "203.0.113.7",
    ],
    ["is a network in IPv6", "2001:db8:1:2:3::4", undefined, "2001:db8:1:2::/64"],
    ["is a network behind a proxy in IPv6", "fd00::1", "2001:db8::1", "2001:db8:0:0::/64"],
  ])("%s", async (_what, peer, forwarded, expected) => {
    expect(await addressOf(peer, forwarded)).toBe(expected);
  });

  it("is nobody's word but the socket's where no proxy is trusted", async () => {
    expect(await addressOf("127.0.0.1", "198.51.100.1", [])).toBe("127.0.0.1");
  });
});

describe("TRUSTED_PROXIES", () => {
  it("takes addresses and networks", () => {
    const { TRUSTED_PROXIES } = readEnvironment({
      TRUSTED_PROXIES: "10.0.0.1, 172.16.0.0/12,fd00::/8",
    });
    expect(TRUSTED_PROXIES).toEqual(["10.0.0.1", "172.16.0.0/12", "fd00::/8"]);
  });

  it.each(["caddy", "10.0.0.0/33", "10.0.0.1/x", "*", "10.0.0.1/8/8", "10.0.0"])(
    "refuses %s",
    (given) => {
      expect(() => readEnvironment({ TRUSTED_PROXIES: given })).toThrow(
        /TRUSTED_PROXIES is not usable/,
      );
    },
  );
});
