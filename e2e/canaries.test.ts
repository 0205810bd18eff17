import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Client, createClient, type Logger } from "@countersign/agent-client";
import { createRecoveryCode, randomNonce, utf8 } from "@countersign/shared";
import { type PushService, startPushService } from "@countersign/test-kit/push-service";
import { createSoftAgent } from "@countersign/test-kit/soft-agent";
import { createSoftPhone, type SoftPhone } from "@countersign/test-kit/soft-phone";
import { afterAll, beforeAll, expect, it } from "vitest";
import { runCommand } from "../apps/broker/src/command.js";
import { readEnvironment } from "../apps/broker/src/env.js";
import { collectingLogger, openDatabase, type Sql } from "../apps/broker/src/testing/attack.js";
import { startTestBroker, type TestBroker } from "../apps/broker/src/testing/harness.js";

// One whole run with marked secrets, failures of every kind in it, and then a look at everything that others read:
// log lines of the broker at every level, log lines of the SDK, URLs, error answers, errors of the SDK, pushes.

/** By name, each with every value it had. */
const secrets = new Map<string, Set<string>>();
const plant = <T extends string>(name: string, value: T): T => {
  secrets.set(name, (secrets.get(name) ?? new Set()).add(value));
  return value;
};
const canary = (name: string): string => plant(name, `canary-${name}-${randomNonce().slice(0, 8)}`);

/** What others read, by where they read it. */
const read = { urls: [] as string[], refusals: [] as string[], sdk: [] as string[] };

const { log, logged } = collectingLogger();
const sdkLogger: Logger = {
  info: (message, facts) => read.sdk.push(`${message} ${JSON.stringify(facts)}`),
  warn: (message, facts) => read.sdk.push(`${message} ${JSON.stringify(facts)}`),
};

const plain = globalThis.fetch;
/** Everything that proves something is planted as it is sent; what is refused, and every URL, is kept. */
async function watched(input: string | URL | Request, init?: RequestInit): Promise<Response> {
  read.urls.push(String(input instanceof Request ? input.url : input));
  const headers = new Headers(init?.headers);
  const [scheme = "", token = ""] = (headers.get("authorization") ?? "").split(" ");
  if (scheme === "DPoP") plant("access token", token);
  const cookie = /__Host-session=([^;]+)/.exec(headers.get("cookie") ?? "")?.[1];
  for (const [name, value] of [
    ["session", cookie],
    ["DPoP proof", headers.get("dpop")],
    ["idempotency key", headers.get("idempotency-key")],
  ] as const) {
    if (value) plant(name, value);
  }
  const form = init?.body instanceof URLSearchParams ? init.body : new URLSearchParams();
  for (const name of ["client_assertion", "request"]) {
    const value = form.get(name);
    if (value !== null) plant(name, value);
  }
  const response = await plain(input, init);
  if (!response.ok) {
    // A denial carries what the person signed, the reason in it: that is for the agent to read.
    const { decision: _, ...refusal } = JSON.parse(await response.clone().text());
    read.refusals.push(JSON.stringify(refusal));
  }
  return response;
}

let service: PushService;
let broker: TestBroker;
let sql: Sql;
let phone: SoftPhone;
let client: Client;
let home: string;

beforeAll(async () => {
  globalThis.fetch = watched;
  service = await startPushService();
  broker = await startTestBroker({ log, pushHosts: service.host, egress: service.agent });
  sql = openDatabase(broker);
  home = await mkdtemp(join(tmpdir(), "countersign-canaries-"));
  phone = await createSoftPhone({ origin: broker.site.origin });
  client = await createClient({
    brokerUrl: broker.site.origin,
    home,
    logger: sdkLogger,
    retryForMs: 2000,
  });
});
afterAll(async () => {
  globalThis.fetch = plain;
  await sql.end();
  await broker.drop();
  await service.close();
  await rm(home, { recursive: true, force: true });
});

/** A failure of the SDK as a host would print it. */
async function failing(act: () => Promise<unknown>): Promise<void> {
  const error: unknown = await act().then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  for (let each = error; each instanceof Error; each = each.cause) {
    read.sdk.push(`${each.stack} ${JSON.stringify(each)}`);
  }
}

const post = (path: string, body: string, headers: Record<string, string> = {}) =>
  fetch(`${broker.site.origin}${path}`, {
    method: "POST",
    headers: { origin: broker.site.origin, "content-type": "application/json", ...headers },
    body,
  });

async function enrolAndPair(): Promise<void> {
  plant("invitation", broker.firstInvitation?.split("#")[1] ?? "");
  await phone.enrol(broker.firstInvitation ?? "", "Ada");
  plant("invitation", (await phone.invite()).split("#")[1] ?? "");
  let digits = Promise.resolve("");
  const pair = (confirmDigits: () => Promise<string>) =>
    client.pair({
      name: "agent",
      onLink: (link) => {
        plant("pairing secret", link.split("#")[1] ?? "");
        digits = phone.acceptPairing(link).then((accepted) => accepted.digits());
      },
      confirmDigits,
    });
  await failing(() => pair(async () => "000000"));
  await pair(() => digits);
}

/** Approved, executed, failed and denied, each with marks in everything that a model or a person says. */
async function useIt(): Promise<void> {
  const marked = () => ({
    tool: "file.delete",
    args: { path: `/${canary("argument")}`, password: canary("argument") },
    cwd: `/${canary("folder")}`,
    env: { TOKEN: canary("variable") },
  });
  const words = () => ({ reasons: [canary("reason")], agentClaim: canary("claim") });
  const approving = (rid: string) => void phone.approve(rid);
  await client.guard(marked(), () => canary("result"), {
    ...words(),
    onPending: ({ rid, matchCode }) => {
      plant("match code", matchCode);
      approving(rid);
    },
  });
  await client.guard(
    marked(),
    () => {
      throw new Error(canary("failure"));
    },
    { ...words(), onPending: ({ rid }) => approving(rid) },
  );
  await client.guard(marked(), () => "not done", {
    ...words(),
    onPending: ({ rid }) => void phone.deny(rid, canary("denial reason")),
  });
  await failing(() => client.guard({ ...marked(), preconditions: [] }, () => {}, { quorum: 3 }));
}

/** A picture that no codec touches on its way: by the wire's own client. */
async function sendPicture(): Promise<void> {
  const agent = await createSoftAgent({ origin: broker.site.origin });
  await agent.pairWith(phone);
  const picture = utf8(canary("picture").repeat(20));
  const request = await agent.request({ picture });
  const sealed = Buffer.from(request.sealed).toString("base64url");
  plant("ciphertext", sealed.slice(40, 80));
  const key = canary("idempotency key");
  await phone.deny(request.rid, canary("denial reason"));
  await agent.poll(request.rid, { idempotencyKey: key });
  await agent.upload({ ...request, sealedSha256: randomNonce() });
}

/** Right things in wrong places, and wrong ones everywhere. */
async function misuse(): Promise<void> {
  const auditor = await runCommand(readEnvironment({ DATABASE_URL: broker.databaseUrl }), [
    "auditor",
    "add",
    "Grace",
  ]);
  const token = plant("auditor token", /^ {2}(\S+)$/m.exec(auditor)?.[1] ?? "");
  const codes = await phone.keys.makeRecoveryCodes();
  for (const code of codes) plant("recovery code", code);
  const wrongCode = plant("recovery code", createRecoveryCode());
  const json = (value: object) => JSON.stringify(value);
  await post("/app/recoveries", json({ code: wrongCode }));
  await post("/app/recoveries", json({ code: canary("recovery code") }));
  await post("/app/invitations/check", json({ invitation: canary("invitation") }));
  await post("/app/nonces", `{"purpose":"${canary("body")}`);
  await post("/app/nonces", json({ purpose: canary("body") }));
  await post("/app/nonces", canary("body"), { "content-type": canary("content type") });
  await post("/app/session", json({ broker_nonce: canary("body"), assertion: {} }));
  await post("/token", canary("form"), { "content-type": "application/x-www-form-urlencoded" });
  await post("/token", `client_assertion=${canary("form")}&grant_type=client_credentials`, {
    "content-type": "application/x-www-form-urlencoded",
    dpop: canary("DPoP proof"),
  });
  const ask = (path: string, headers: Record<string, string>) =>
    fetch(`${broker.site.origin}${path}`, { headers });
  await ask("/log/records?from=0", { authorization: `Bearer ${token}` });
  await ask("/app/me", { authorization: `Bearer ${token}` });
  await ask("/v1/events", {
    authorization: `DPoP ${canary("access token")}`,
    dpop: canary("DPoP proof"),
  });
  await ask("/app/me", { cookie: `__Host-session=${canary("session")}` });
}

/** A database that fails in the middle of everything is when a log says most. */
async function breakDatabase(): Promise<void> {
  const tables = ["session", "nonce", "recovery_code", "auditor", "sealed_context"] as const;
  const agent = await createSoftAgent({ origin: broker.site.origin });
  await agent.pairWith(phone);
  const nonce = await phone.nonce("login");
  const before = logged.length;
  for (const table of tables) await sql.pool.query(`alter table ${table} rename to ${table}_away`);
  const code = plant("recovery code", createRecoveryCode());
  await phone.call("GET", "/app/me");
  await phone.call("POST", "/app/nonces", { purpose: "login" });
  await phone.call("POST", "/app/session", {
    broker_nonce: nonce,
    assertion: await phone.authenticator.assert(utf8("x")),
  });
  await post("/app/recoveries", JSON.stringify({ code }));
  await fetch(`${broker.site.origin}/log/records`, {
    headers: { authorization: `Bearer ${canary("auditor token")}` },
  });
  await agent.upload(await agent.prepare({ args: { path: canary("argument") } }));
  await failing(() =>
    client.guard({ tool: "file.delete", args: { path: canary("argument") } }, () => {}),
  );
  for (const table of tables) await sql.pool.query(`alter table ${table}_away rename to ${table}`);
  expect(logged.slice(before).join("\n")).toContain("unexpected failure");
}

/** Private keys of the broker, and what the agent keeps. */
async function plantKeys(): Promise<void> {
  const keys = await sql<{ value: unknown }[]>`select value from setting`;
  for (const [, key] of JSON.stringify(keys).matchAll(
    /"(?:d|privateKey|private_key)":"([^"]+)"/g,
  )) {
    plant("private key", key ?? "");
  }
  for (const name of await readdir(home)) {
    const text = name.endsWith(".json") ? await readFile(join(home, name), "utf8") : "";
    for (const [, key] of text.matchAll(/"d":\s*"([^"]+)"/g)) plant("private key", key ?? "");
  }
}

/** As it is, and as logs, URLs and JSON would write it. */
function spellings(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [
    secret,
    encodeURIComponent(secret),
    bytes.toString("hex"),
    // Without the last digits, which depend on what follows.
    bytes.toString("base64url").slice(0, -2),
    [...bytes].join(","),
  ];
}

it("nothing secret is in any log, URL, error or push of a whole run", {
  timeout: 120_000,
}, async () => {
  await enrolAndPair();
  const browser = service.newSubscription();
  browser.answers.push({ status: 500 }, "hangs up");
  await phone.call("POST", "/app/push/subscription", browser.json);
  const { endpoint, keys } = browser.json;
  for (const value of [new URL(endpoint).pathname, keys.auth, keys.p256dh])
    plant("push key", value);
  await useIt();
  await sendPicture();
  await expect.poll(() => browser.received.length).toBeGreaterThan(3);
  await misuse();
  await breakDatabase();
  await plantKeys();
  await failing(() =>
    startTestBroker({ databaseUrl: `postgres://u:${canary("password")}@127.0.0.1:1/x` }),
  );

  const places = {
    ...read,
    logs: logged,
    pushes: browser.received.map(({ text }) => text),
  };
  for (const lines of Object.values(places)) expect(lines.length).toBeGreaterThan(0);
  expect([...secrets.keys()].sort()).toEqual(expect.arrayContaining(expectedKinds));
  const found = Object.entries(places).flatMap(([place, lines]) =>
    [...secrets].flatMap(([name, values]) =>
      [...values].flatMap((value) => {
        if (value.length < 6) throw new Error(`${name} is too short to be looked for: ${value}`);
        const line = lines.find((each) => spellings(value).some((text) => each.includes(text)));
        return line === undefined ? [] : [`${name} in ${place}: ${line.slice(0, 300)}`];
      }),
    ),
  );
  expect(found).toEqual([]);
  expect(logged.join("\n")).not.toMatch(/params|insert into|select /i);
});

/** A run that stopped planting one of these would prove less, and look the same. */
const expectedKinds = [
  ...["access token", "argument", "auditor token", "ciphertext", "claim", "client_assertion"],
  ...["denial reason", "DPoP proof", "failure", "idempotency key", "invitation", "match code"],
  ...[
    "pairing secret",
    "password",
    "picture",
    "private key",
    "push key",
    "recovery code",
    "result",
  ],
  ...["session", "variable"],
];

it("each line says when it happened to whom: sign-ins and refusals with their address", () => {
  const lines = logged.map((line) => line.replace(/^([^{]*) \{/, "$1|{").split("|"));
  const [, refused = ""] = lines.find(([message]) => message === "refused") ?? [];
  expect(JSON.parse(refused)).toMatchObject({
    code: expect.any(String),
    route: expect.any(String),
    address: expect.stringMatching(/^127\.0\.0\.1$|^0:0:0:0::\/64$/),
  });
});
