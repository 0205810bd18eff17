import { readdirSync } from "node:fs";
import { request } from "node:http";
import { fileURLToPath } from "node:url";
import { freePort } from "@countersign/test-kit/broker-process";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startTestBroker, type TestBroker } from "../apps/broker/src/testing/harness.js";

// What a browser is told with every answer. That no screen breaks the policy is held by look.ts, on every one of them.

const dist = fileURLToPath(new URL("../apps/pwa/dist/", import.meta.url));
let broker: TestBroker;
let get: (path: string, headers?: Record<string, string>) => Promise<Response>;

beforeAll(async () => {
  broker = await startTestBroker();
  get = (path, headers = {}) => fetch(`${broker.site.origin}${path}`, { headers });
});
afterAll(() => broker.drop());

const screens = [
  ...["/", "/enrol", "/link", "/requests/AAAAAAAAAAAAAAAAAAAAAA", "/agents", "/pair", "/alerts"],
  ...["/practice", "/history", "/devices", "/you", "/nowhere", "/index.html"],
];
// A compressed form has no address of its own.
const files = readdirSync(dist, { recursive: true, encoding: "utf8" }).filter(
  (name) => /\.\w+$/.test(name) && !/\.(br|gz)$/.test(name),
);
const everywhere = [
  ...screens,
  ...files.map((name) => `/${name}`),
  ...["/app/site", "/app/me", "/app/requests", "/app/events", "/app/push", "/app/nowhere"],
  ...["/v1/requests/x", "/v1/nowhere", "/token", "/healthz", "/readyz", "/jwks"],
  ...["/.well-known/openid-configuration", "/missing.js"],
];

it.each(everywhere)("every answer keeps to itself: %s", async (path) => {
  const { headers } = await get(path);
  expect(Object.fromEntries(headers)).toMatchObject({
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": expect.stringContaining("microphone=()"),
    "content-security-policy": expect.stringContaining("frame-ancestors 'none'"),
  });
  expect(headers.get("access-control-allow-origin")).toBeNull();
  expect(headers.get("server")).toBeNull();
  expect(headers.get("x-powered-by")).toBeNull();
});

it("every answer of a server with a name of its own demands TLS, for names below it too", async () => {
  const port = await freePort();
  const named = await startTestBroker({
    port,
    databaseUrl: broker.databaseUrl,
    variables: { PUBLIC_URL: "https://approve.example.org" },
  });
  for (const path of ["/healthz", "/", "/app/me", "/nowhere"]) {
    const { headers } = await fetch(`http://127.0.0.1:${port}${path}`);
    expect(headers.get("strict-transport-security")).toBe("max-age=31536000; includeSubDomains");
  }
  await named.stop();
});

it("no answer repeats what was asked: there is no TRACE", async () => {
  const { hostname, port, host } = new URL(broker.site.origin);
  const status = await new Promise((resolve) => {
    const headers = { host, cookie: "canary" };
    request({ hostname, port, path: "/", method: "TRACE", headers }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    }).end();
  });
  expect(status).toBe(404);
});

it.each(screens)("a screen runs our own scripts and nothing else: %s", async (path) => {
  const response = await get(path);
  const policy = new Map(
    (response.headers.get("content-security-policy") ?? "").split("; ").map((directive) => {
      const [name = "", ...sources] = directive.split(" ");
      return [name, sources.join(" ")];
    }),
  );
  expect(Object.fromEntries(policy)).toEqual({
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' blob:",
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "worker-src": "'self'",
    "font-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
    "require-trusted-types-for": "'script'",
    "trusted-types": "countersign",
  });
  const html = await response.text();
  expect(html).not.toMatch(/<style|style=|\son\w+=|<script(?![^>]*\ssrc=)/i);
  expect(html).not.toMatch(/(?:src|href)="(?:https?:)?\/\//i);
});

it.each(everywhere.filter((path) => path.startsWith("/app/") || path.startsWith("/v1/")))(
  "no cache keeps an answer of the API: %s",
  async (path) => {
    const { headers } = await get(path);
    expect(headers.get("cache-control")).toBe("no-store");
  },
);

it("what a name's hash tells is kept, everything else is looked at again", async () => {
  for (const name of files) {
    const kept = (await get(`/${name}`)).headers.get("cache-control");
    expect([name, kept]).toEqual([
      name,
      name.startsWith("assets/") ? "public, max-age=31536000, immutable" : "no-cache",
    ]);
  }
});

it("another site's page can neither read the API nor change anything", async () => {
  const post = await fetch(`${broker.site.origin}/app/nonces`, {
    method: "POST",
    headers: { origin: "https://evil.example", "content-type": "application/json" },
    body: '{"purpose":"login"}',
  });
  expect(await post.json()).toMatchObject({ code: "cross_site" });
  const read = await get("/app/site", { "sec-fetch-site": "cross-site" });
  expect(await read.json()).toMatchObject({ code: "cross_site" });
});
