import { parse, randomNonce, tokenResponse } from "@countersign/shared";
import { createSoftAgent, type SoftAgent } from "@countersign/test-kit/soft-agent";
import type { SoftPhone } from "@countersign/test-kit/soft-phone";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { access } from "../http/access.js";
import { attackedWorld, rawCall, type World } from "../testing/attack.js";
import { asHeader, mediaTypeOf, mutate, pick, type Random, seeded } from "../testing/fuzz.js";
import { enrolledPhone } from "../testing/harness.js";
import { rowsNaming } from "../testing/tenant-rows.js";

// `LONG=1` sends 100,000 requests; `SEED` begins elsewhere.

const long = process.env["LONG"] === "1";
const requests = long ? 100_000 : 2000;
const seed = Number(process.env["SEED"] ?? 20_261);
const inFlight = 16;

/** Somebody with every right but over Ada's things. */
interface Tenant {
  agent: SoftAgent;
  token: string;
  cookie: string;
}

let world: World;
let ada: SoftPhone;
let tenants: Tenant[];
/** What honest callers send: what is sent here is near to it. */
let samples: string[];
let ids: string[];

beforeAll(async () => {
  world = await attackedWorld();
  ada = world.phone;
  const { origin } = world.broker.site;
  const request = await world.agent.request({ seconds: 590 });
  const approval = await ada.signApproval(request.rid);
  const [pairing] = await world.sql`select id, offer, acceptance from pairing`;
  const [link] = await world.sql`select link from chain_link`;
  samples = [
    ...[
      approval,
      await ada.signDenial(request.rid),
      pairing?.["acceptance"],
      { link: link?.["link"] },
    ],
    ...[{ device_kid: ada.device.kid }, { offer: pairing?.["offer"] }, { nonce: randomNonce() }],
    ...[
      { outcome: await world.agent.outcomeOf(request) },
      { purpose: "login" },
      { code: randomNonce() },
    ],
    { broker_nonce: randomNonce(), assertion: approval.assertion },
    { endpoint: "https://fcm.googleapis.com/x", keys: { p256dh: randomNonce(), auth: "AAAA" } },
  ].map((value) => JSON.stringify(value));
  samples.push(
    `grant_type=client_credentials&client_assertion=${await world.agent.clientAssertion()}`,
  );
  samples.push(`request=${request.jws}&client_assertion=${await world.agent.clientAssertion()}`);
  samples.push(Buffer.from(request.sealed).toString("latin1"));
  ids = [request.rid, ada.approver(), world.agent.clientId, pairing?.["id"], request.sealedSha256];

  tenants = [];
  while (tenants.length < (long ? 12 : 2)) {
    const phone = await enrolledPhone(world.broker, "Eve", ada);
    const agent = await createSoftAgent({ origin });
    await agent.pairWith(phone);
    const answer = await agent.form("/token", { grant_type: "client_credentials" });
    const token = parse(tokenResponse, await answer.json()).access_token;
    const signedIn = randomNonce();
    // A session of hers by a token that we know.
    const { createHash } = await import("node:crypto");
    const hash = createHash("sha256").update(signedIn).digest("base64url");
    await world.sql`insert into session (hash, approver, credential_id, expires_at)
      values (${hash}, ${phone.approver()}, ${phone.authenticator.credential.id}, now() + interval '1 day')`;
    tenants.push({ agent, token, cookie: `__Host-session=${signedIn}` });
  }
}, 120_000);
afterAll(() => world.close());

const targets = Object.keys(access)
  .filter((route) => !route.endsWith("/events"))
  .map((route) => route.split(" ") as [string, string]);
const methods = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"];

async function send(random: Random, count: number): Promise<number> {
  const { origin } = world.broker.site;
  const [right, pattern] = pick(random, targets);
  const method = random(10) === 0 ? pick(random, methods) : right;
  const value = () =>
    random(2) === 0
      ? pick(random, ids)
      : encodeURIComponent(mutate(random, pick(random, ids)).slice(0, 200).toWellFormed());
  const path =
    pattern.replace("*", value()).replace(/:\w+/g, value) +
    (random(5) === 0 ? `?view=${value()}&before=${value()}` : "");
  const isForm = path === "/token" || path === "/bc-authorize";
  const { host } = new URL(origin);
  const { agent, token, cookie } = pick(random, tenants);
  const headers: Record<string, string> = {
    host,
    origin,
    "x-forwarded-for": `10.${count >> 16}.${(count >> 8) & 255}.${count & 255}`,
    "content-type": mediaTypeOf(
      random,
      isForm ? "application/x-www-form-urlencoded" : "application/json",
    ),
  };
  if (path.startsWith("/app"))
    headers["cookie"] = random(4) === 0 ? asHeader(mutate(random, cookie)) : cookie;
  else if (random(2) === 0) {
    const bare = path.replace(/[?#].*$/s, "");
    const proof = await agent.dpop(
      method,
      bare,
      path.startsWith("/v1/pairings") ? undefined : token,
    );
    headers["authorization"] = `DPoP ${random(4) === 0 ? asHeader(mutate(random, token)) : token}`;
    headers["dpop"] = random(4) === 0 ? asHeader(mutate(random, proof)) : proof;
  }
  if (random(10) === 0) headers["last-event-id"] = asHeader(mutate(random, "12"));
  const body = ["GET", "HEAD"].includes(method) ? undefined : mutate(random, pick(random, samples));
  const answer = await rawCall(origin, {
    method,
    path,
    headers,
    ...(body === undefined ? {} : { body }),
  });
  if (answer.status >= 500) {
    console.error({ method, path, headers, body: body?.slice(0, 500), says: await answer.text() });
  }
  return answer.status;
}

describe("fuzzed requests", () => {
  it(`crash nothing, are never the server's fault and change nothing of anybody else's: ${requests} of them`, async () => {
    const before = await rowsNaming(world.sql, ids);
    const statuses = new Map<number, number>();
    let count = 0;
    const worker = async (number: number): Promise<void> => {
      const random = seeded(seed + number);
      while (count < requests) {
        count += 1;
        const status = await send(random, count).catch((error: NodeJS.ErrnoException) => {
          // A refusal may close the connection while the rest of a large body is still on its way.
          if (error.code === "EPIPE" || error.code === "ECONNRESET") return 0;
          throw error;
        });
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
    };
    await Promise.all(Array.from({ length: inFlight }, (_, number) => worker(number)));
    if (long) console.log(Object.fromEntries([...statuses].sort(([a], [b]) => a - b)));
    expect([...statuses.keys()].filter((status) => status >= 500)).toEqual([]);
    // Most got past the first door.
    expect(statuses.get(429) ?? 0).toBeLessThan(requests / 2);
    expect((await fetch(`${world.broker.site.origin}/readyz`)).status).toBe(200);
    expect(await rowsNaming(world.sql, ids)).toEqual(before);
  }, 1_800_000);
});
