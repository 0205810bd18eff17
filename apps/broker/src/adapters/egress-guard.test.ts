import { once } from "node:events";
import { type Agent, request } from "node:https";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { egressBlocked, type Resolve } from "@countersign/egress";
import { agentFor, startPushService } from "@countersign/test-kit/push-service";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createEgressAgent } from "./egress-guard.js";

const family = (address: string) => (address.includes(":") ? 6 : 4);
const answering =
  (...addresses: string[]): Resolve =>
  async () =>
    addresses.map((address) => ({ address, family: family(address) }));

/** One of every kind; the whole list is the egress package's. */
const forbidden = [
  ...["0.0.0.0", "10.0.0.1", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.16.0.1"],
  ...["192.168.0.1", "168.63.129.16", "255.255.255.255", "::", "::1", "::ffff:127.0.0.1"],
  ...["64:ff9b::808:808", "2002:a00:1::1", "fd00:ec2::254", "fe80::1%eth0", "ff02::1"],
];

let listener: Server;
let port: number;
let connections = 0;
const sockets = new Set<Socket>();

beforeAll(async () => {
  listener = createServer((socket) => {
    connections++;
    sockets.add(socket);
    socket.on("error", () => {});
    socket.destroy();
  });
  // Every address of this machine, of both families.
  listener.listen(0, "::");
  await once(listener, "listening");
  port = (listener.address() as AddressInfo).port;
});
afterAll(() => void listener.close());
beforeEach(() => {
  connections = 0;
});

/** @returns the code of what went wrong; with these listeners something always does */
function call(agent: Agent, url: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    try {
      const sent = request(url, { agent, method: "POST" });
      sent.on("error", (error: NodeJS.ErrnoException) => resolve(error.code));
      sent.end();
    } catch (error) {
      resolve((error as NodeJS.ErrnoException).code);
    }
  });
}

describe("the egress agent", () => {
  it("connects nowhere for a name with an address that is not public", async () => {
    // The proof that the listener would have noticed.
    await call(agentFor(""), `https://push.test:${port}/`);
    expect(connections).toBe(1);
    connections = 0;
    for (const address of forbidden) {
      const agent = createEgressAgent(answering(address));
      expect([address, await call(agent, `https://push.test:${port}/`)]).toEqual([
        address,
        egressBlocked,
      ]);
    }
    expect(connections).toBe(0);
  });

  it("connects nowhere when one address among public ones is not", async () => {
    for (const addresses of [
      ["127.0.0.1", "8.8.8.8"],
      ["8.8.8.8", "127.0.0.1"],
      ["2606:4700::1111", "8.8.8.8", "::1"],
    ]) {
      const agent = createEgressAgent(answering(...addresses));
      expect(await call(agent, `https://push.test:${port}/`)).toBe(egressBlocked);
    }
    expect(connections).toBe(0);
  });

  it("connects nowhere for a name without addresses", async () => {
    const agent = createEgressAgent(answering());
    expect(await call(agent, `https://push.test:${port}/`)).toBe(egressBlocked);
    expect(connections).toBe(0);
  });

  it("connects nowhere for an address in place of a name, however it is written", async () => {
    const agent = createEgressAgent(answering("8.8.8.8"));
    for (const host of [
      ...["127.0.0.1", "127.1", "2130706433", "017700000001", "0x7f000001", "0x7f.0.0.1"],
      ...["[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[fe80::1]", "8.8.8.8"],
    ]) {
      expect([host, await call(agent, `https://${host}:${port}/`)]).toEqual([host, egressBlocked]);
    }
    expect(connections).toBe(0);
  });

  it("connects to the very address that was checked, and asks for it once", async () => {
    const answers = [["8.8.8.8"], ["127.0.0.1"], ["127.0.0.1"]];
    let asked = 0;
    const agent = createEgressAgent(async () =>
      (answers[asked++] ?? []).map((address) => ({ address, family: 4 })),
    );
    const first = await new Promise((resolve) => {
      // From the loopback no packet of the test can reach what is not on it.
      const from = { agent, localAddress: "127.0.0.1" };
      request(`https://push.test:${port}/`, from).on("error", resolve).end();
    });
    expect(first).toMatchObject({ syscall: "connect", address: "8.8.8.8" });
    expect(asked).toBe(1);
    // The name that has changed its mind meanwhile is refused.
    expect(await call(agent, `https://push.test:${port}/`)).toBe(egressBlocked);
    expect(connections).toBe(0);
  });

  it("follows no proxy of the environment", async () => {
    const service = await startPushService();
    const before = { ...process.env };
    Object.assign(process.env, {
      HTTPS_PROXY: `http://127.0.0.1:${port}`,
      https_proxy: `http://127.0.0.1:${port}`,
      NODE_USE_ENV_PROXY: "1",
    });
    const agent = createEgressAgent(answering("127.0.0.1"));
    expect(await call(agent, service.newSubscription().json.endpoint)).toBe(egressBlocked);
    process.env = before;
    expect([connections, service.connections()]).toEqual([0, 0]);
    await service.close();
  });
});
