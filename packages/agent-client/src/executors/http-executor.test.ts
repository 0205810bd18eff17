import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { Json } from "@countersign/shared";
import { describe, expect, it, onTestFinished } from "vitest";
import { signal } from "../fixtures/roots.js";
import { defaultPolicy } from "../gate/policy/default.js";
import { loadPolicy } from "../gate/policy/load.js";
import { judgeCase } from "../gate/policy/table.js";
import { httpExecutor } from "./http-executor.js";

/** A server on this machine, and what reached it. */
async function createSite() {
  const reached: {
    method?: string;
    url?: string;
    headers: IncomingMessage["headers"];
    body: string;
  }[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = "", url = "", headers } = request;
    reached.push({ method, url, headers, body: Buffer.concat(chunks).toString() });
    if (url === "/moved") response.writeHead(302, { location: "/elsewhere" }).end();
    else if (url === "/flood") response.end(Buffer.alloc(3_000_000, "x"));
    else if (url === "/never") response.write("x");
    else
      response.writeHead(200, { "set-cookie": "secret=1", "content-type": "text/plain" }).end("hi");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  onTestFinished(() => server.closeAllConnections());
  const { port } = server.address() as AddressInfo;
  return { origin: `http://localhost:${port}`, port, reached };
}

type Options = Parameters<typeof httpExecutor>[0];

async function run(options: Options, args: Json, aborting = signal): Promise<Json> {
  const executor = httpExecutor(options);
  const { proposal } = await executor.describe({ tool: "http.request", args }, { signal });
  const action = { reversible: false, ...proposal, v: 1, preconditions: [] } as const;
  return (await executor.execute({ ...action, preconditions: [] }, { signal: aborting })).value;
}

const token = `ghp_${"Ab3".repeat(12)}`;
const policy = await loadPolicy(await defaultPolicy(), "http");

async function tierOf(args: object) {
  const executor = httpExecutor({ origins: ["https://api.example.com"] });
  const call = { tool: "http.request", args: args as Json };
  const { family, resource, context } = await executor.describe(call, { signal });
  return judgeCase(policy, { family, resource, context }).got;
}

describe("an HTTP request", () => {
  it("is sent as it was approved, and its answer is told without cookies", async () => {
    const { origin, reached } = await createSite();
    const answer = await run(
      { origins: [], privateOrigins: [origin] },
      {
        url: `${origin}/x?q=1#part`,
        method: "post",
        headers: { "X-One": "1" },
        body: { b: 1, a: [] },
      },
    );
    expect(answer).toEqual({
      ...{ status: 200, headers: { "content-type": "text/plain" }, body: "hi", truncated: false },
    });
    expect(reached).toMatchObject([
      { method: "POST", url: "/x?q=1", body: '{"a":[],"b":1}', headers: { "x-one": "1" } },
    ]);
    expect(Object.keys(reached[0]?.headers ?? {}).sort()).toEqual([
      ...["connection", "content-length", "content-type", "host", "x-one"],
    ]);
  });

  it("is described by the parts that a policy asks for", async () => {
    const executor = httpExecutor({ origins: ["https://api.example.com"] });
    const args = { url: "https://API.example.com?q=1", method: "get" };
    const { proposal, resource, family } = await executor.describe(
      { tool: "http.request", args },
      { signal },
    );
    expect(family).toBe("request");
    expect(proposal.args).toEqual({ url: "https://api.example.com/?q=1", method: "GET" });
    expect(resource).toEqual({
      type: "Url",
      id: "https://api.example.com/?q=1",
      attributes: {
        ...{ scheme: "https", host: "api.example.com", path: "/", method: "GET", port: 443 },
        ...{ allowed: true, said_bytes: 28, body_bytes: 0 },
      },
    });
  });

  it.each<[string, object]>([
    ["a path", { url: `https://api.example.com/${"x".repeat(300)}` }],
    ["a query", { url: `https://api.example.com/?${"x".repeat(300)}` }],
    ["a header", { url: "https://api.example.com/", headers: { accept: "x".repeat(300) } }],
  ])("is asked about when it could carry much out, in %s", async (_, args) => {
    expect(await tierOf({ ...args, method: "GET" })).toBe("yellow");
  });

  it.each<[string, object]>([
    ["a path", { url: `https://api.example.com/x/${token}/y` }],
    ["an encoded query", { url: `https://api.example.com/?a=${encodeURIComponent(`"${token}"`)}` }],
    ["a header", { url: "https://api.example.com/", headers: { authorization: token } }],
  ])("is for the phone when a secret leaves with it, in %s", async (_, args) => {
    expect(await tierOf({ ...args, method: "GET" })).toBe("red");
    expect(await tierOf({ url: "https://api.example.com/x", method: "GET" })).toBe("green");
  });

  it("follows no redirect", async () => {
    const { origin, reached } = await createSite();
    const options = { origins: [], privateOrigins: [origin] };
    const answer = await run(options, { url: `${origin}/moved`, method: "GET" });
    expect(answer).toMatchObject({ status: 302, headers: { location: "/elsewhere" } });
    expect(reached).toHaveLength(1);
  });

  it("takes no more of an answer than it keeps, and ends when it is aborted", async () => {
    const { origin } = await createSite();
    const options = { origins: [], privateOrigins: [origin] };
    const flood = (await run(options, { url: `${origin}/flood`, method: "GET" })) as {
      body: string;
    };
    expect(flood).toMatchObject({ truncated: true });
    expect(flood.body).toHaveLength(1024 * 1024);
    const never = run(options, { url: `${origin}/never`, method: "GET" }, AbortSignal.timeout(200));
    await expect(never).rejects.toMatchObject({ code: "aborted" });
  });

  it.each<[string, Json, string]>([
    ["another origin", { url: "https://evil.example/", method: "GET" }, "origin_not_allowed"],
    ["another port", { url: "https://api.example.com:8443/", method: "GET" }, "origin_not_allowed"],
    ["another scheme", { url: "http://api.example.com/", method: "GET" }, "origin_not_allowed"],
    [
      "a longer name",
      { url: "https://api.example.com.evil.example/", method: "GET" },
      "origin_not_allowed",
    ],
    [
      "a user that looks like it",
      { url: "https://api.example.com@evil.example/", method: "GET" },
      "url_invalid",
    ],
    ["a password", { url: "https://a:b@api.example.com/", method: "GET" }, "url_invalid"],
    ["a file", { url: "file:///etc/passwd", method: "GET" }, "url_invalid"],
    ["a tunnel", { url: "https://api.example.com/", method: "CONNECT" }, "method_not_allowed"],
    [
      "a body that is not seen",
      { url: "https://api.example.com/", method: "GET", body: "x" },
      "body_not_allowed",
    ],
    [
      "another host",
      { url: "https://api.example.com/", method: "GET", headers: { Host: "x" } },
      "header_invalid",
    ],
    [
      "a second request",
      { url: "https://api.example.com/", method: "GET", headers: { a: "1\r\nb: 2" } },
      "header_invalid",
    ],
    [
      "another method in a header",
      {
        url: "https://api.example.com/",
        method: "GET",
        headers: { "X-HTTP-Method-Override": "DELETE" },
      },
      "header_invalid",
    ],
    [
      "the same header twice",
      { url: "https://api.example.com/", method: "GET", headers: { a: "1", A: "2" } },
      "header_invalid",
    ],
    [
      "an unknown argument",
      { url: "https://api.example.com/", method: "GET", follow: true },
      "arguments_invalid",
    ],
  ])("is refused with %s", async (_, args, code) => {
    const executor = httpExecutor({ origins: ["https://api.example.com"] });
    const call = { tool: "http.request", args };
    await expect(executor.describe(call, { signal })).rejects.toMatchObject({ code });
    const action = { v: 1, ...call, preconditions: [], reversible: false } as const;
    const executed = executor.execute({ ...action, preconditions: [] }, { signal });
    await expect(executed).rejects.toMatchObject({ code });
  });

  it("reaches no private address by a name that leads there, now or the next time", async () => {
    const { port, reached } = await createSite();
    const origin = `http://rebinding.example:${port}`;
    const addresses = [["127.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["::1"], ["10.0.0.1"], []];
    for (const answer of addresses) {
      const resolve = async () =>
        answer.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
      const asked = run({ origins: [origin], resolve }, { url: `${origin}/`, method: "GET" });
      await expect(asked).rejects.toMatchObject({ code: "egress_blocked" });
    }
    expect(reached).toEqual([]);
  });

  it("reaches no private address that stands in the place of a name, however it is written", async () => {
    const { port, reached } = await createSite();
    for (const host of [
      "127.0.0.1",
      "127.1",
      "2130706433",
      "0x7f.1",
      "[::1]",
      "[::ffff:127.0.0.1]",
    ]) {
      const { origin } = new URL(`http://${host}:${port}`);
      const asked = run({ origins: [origin] }, { url: `http://${host}:${port}/`, method: "GET" });
      await expect(asked).rejects.toMatchObject({ code: "egress_blocked" });
    }
    expect(reached).toEqual([]);
  });

  it("is for origins only: what is no origin is no list", () => {
    for (const origin of [
      "api.example.com",
      "https://x.example/path",
      "ftp://x.example",
      "*",
      "",
    ]) {
      expect(() => httpExecutor({ origins: [origin] })).toThrow();
    }
  });
});
