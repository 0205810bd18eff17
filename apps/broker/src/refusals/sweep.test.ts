import { setTimeout as sleep } from "node:timers/promises";
import { randomId, randomNonce, toBase64url } from "@countersign/shared";
import {
  cibaGrantType,
  createSoftAgent,
  type SoftAgent,
  type SoftRequest,
} from "@countersign/test-kit/soft-agent";
import type { SoftPhone } from "@countersign/test-kit/soft-phone";
import { Hono } from "hono";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { access, requireDeclared } from "../http/access.js";
import { attackedWorld, type World } from "../testing/attack.js";
import { readAgentEvents, readEvents } from "../testing/event-reader.js";
import { enrolledPhone, startTestBroker } from "../testing/harness.js";
import { rowsNaming } from "../testing/tenant-rows.js";

// Every route, as http/access.ts lists them: without any right, and with the rights of another tenant.

let world: World;
let ada: SoftPhone;
let eve: SoftPhone;
let agent: SoftAgent;
let rival: SoftAgent;
/** Ada's: one to be answered, one approved, and what her phone and her agent would send for them. */
let pending: SoftRequest;
let approved: SoftRequest;
let pairing: { id: string; acceptance: unknown };
let bodies: Record<string, unknown>;

beforeAll(async () => {
  world = await attackedWorld();
  ({ phone: ada, agent } = world);
  eve = await enrolledPhone(world.broker, "Eve", ada);
  rival = await createSoftAgent({ origin: world.broker.site.origin });
  await rival.pairWith(eve);
  pending = await agent.request();
  approved = await agent.request();
  await ada.approve(approved.rid);
  const [row] =
    await world.sql`select id, acceptance from pairing where client_id = ${agent.clientId}`;
  const [link] = await world.sql`select link from chain_link where approver = ${ada.approver()}`;
  pairing = { id: row?.["id"], acceptance: row?.["acceptance"] };
  bodies = {
    "/decisions": await ada.signApproval(pending.rid),
    "/ceremony": { device_kid: ada.device.kid },
    "/outcome": { outcome: await agent.outcomeOf(approved) },
    "/acceptance": pairing.acceptance,
    "/reveal": { nonce: randomNonce() },
    "/app/keys": { link: link?.["link"] },
    "/subscription": {
      endpoint: "https://fcm.googleapis.com/x",
      keys: { p256dh: randomNonce(), auth: randomId() },
      device_kid: ada.device.kid,
    },
    "/contexts": pending.sealed,
  };
});
afterAll(() => world.close());

const routes = (kinds: readonly string[]): { method: string; path: string }[] =>
  Object.entries(access)
    .filter(([route, kind]) => kinds.includes(kind) && !route.endsWith("/events"))
    .map(([route]) => route.split(" ") as [string, string])
    .map(([method, path]) => ({ method, path }));

/** Everything by which Ada's things are known. */
const adas = (): string[] => [
  ...[pending.rid, approved.rid, pending.sealedSha256, approved.sealedSha256],
  ...[ada.approver(), ada.device.kid, ada.authenticator.credential.id],
  ...[agent.clientId, pairing.id],
];

/** The path with Ada's ids in it, each that fits. */
const paths = (path: string): string[] =>
  [pending, approved].map(({ rid, sealedSha256 }) =>
    path
      .replace(":rid", rid)
      .replace(":sha256", sealedSha256)
      .replace(":approver", ada.approver())
      .replace(":clientId", agent.clientId)
      .replace(":id", pairing.id),
  );

const bodyOf = (path: string): unknown =>
  Object.entries(bodies).find(([part]) => path.includes(part))?.[1] ?? {};

const adasRows = () => rowsNaming(world.sql, adas());

describe("a route", () => {
  it("that does not say who may call it keeps the server from starting", () => {
    const app = new Hono().get("/app/forgotten", (c) => c.text(""));
    expect(() => requireDeclared(app.routes)).toThrow("GET /app/forgotten is not in");
  });

  it("of the server's own is on that list, or the server does not start", async () => {
    const routes = access as Record<string, string>;
    const forgotten = routes["GET /log/checkpoint"] ?? "";
    delete routes["GET /log/checkpoint"];
    try {
      const { databaseUrl } = world.broker;
      await expect(startTestBroker({ databaseUrl })).rejects.toThrow("GET /log/checkpoint is not");
    } finally {
      routes["GET /log/checkpoint"] = forgotten;
    }
  });

  it("answers nobody who proves nothing, and changes nothing for them", async () => {
    const { origin } = world.broker.site;
    const before = await adasRows();
    for (const { method, path } of routes(["client", "agent", "key", "session", "auditor"])) {
      const isForm = ["/token", "/bc-authorize"].includes(path);
      for (const target of paths(path)) {
        const answer = await fetch(`${origin}${target}`, {
          method,
          headers: {
            origin,
            "content-type": isForm ? "application/x-www-form-urlencoded" : "application/json",
          },
          body: method === "GET" ? null : isForm ? `auth_req_id=${pending.rid}` : "{}",
        });
        expect(answer.status, `${method} ${target}`).toBe(401);
      }
    }
    for (const path of ["/v1/events", "/app/events"]) {
      expect((await fetch(`${origin}${path}`)).status).toBe(401);
    }
    expect(await adasRows()).toEqual(before);
  });
});

/** Whoever has the same octets may store them, for itself; and forget alerts that it never had. */
const ofOneself = ["/v1/contexts/:sha256", "/app/push/alerts/:rid"];

describe("another tenant", () => {
  const callers: Record<string, (method: string, path: string) => Promise<Response>> = {
    agent: (method, path) => rival.call(method, path, method === "GET" ? undefined : bodyOf(path)),
    key: (method, path) => rival.call(method, path, method === "GET" ? undefined : bodyOf(path)),
    session: (method, path) => eve.call(method, path, method === "GET" ? undefined : bodyOf(path)),
    carried: (method, path) => eve.call(method, path, method === "GET" ? undefined : bodyOf(path)),
  };

  it("reaches nothing of hers on any route, by any of her ids", async () => {
    const before = await adasRows();
    let calls = 0;
    for (const kind of ["agent", "key", "session", "carried"]) {
      // Signing out comes last.
      const inOrder = routes([kind]).sort((a) => (a.path === "/app/session" ? 1 : -1));
      for (const { method, path } of inOrder) {
        for (const target of paths(path)) {
          const answer = await callers[kind]?.(method, target);
          const text = (await answer?.text()) ?? "";
          calls += 1;
          if (path.includes(":") && !ofOneself.includes(path)) {
            expect(answer?.status, `${method} ${target}`).toBeGreaterThanOrEqual(400);
          }
          const named = path === "/v1/contexts/:sha256" ? [] : adas();
          for (const id of named) expect(text, `${method} ${target}`).not.toContain(id);
          expect(text).not.toContain('"Ada"');
        }
      }
    }
    expect(calls).toBeGreaterThan(80);
    const after = await adasRows();
    // The rival's own copy of the ciphertext, by the same hash.
    await world.sql`delete from sealed_context where client_id = ${rival.clientId}`;
    expect({ ...after, sealed_context: "" }).toEqual({ ...before, sealed_context: "" });
    expect((await adasRows())["sealed_context"]).toBe(before["sealed_context"]);
  });

  it("neither polls, nor asks, nor hears of what is hers", async () => {
    await eve.signIn();
    const hers = JSON.stringify(adas());
    for (const { rid } of [pending, approved]) {
      const { body } = await rival.poll(rid);
      expect(body).toMatchObject({ error: "invalid_grant", code: "not_found" });
    }
    const asked = await rival.form("/bc-authorize", { request: pending.jws });
    expect(asked.status).toBe(400);
    const refused = await rival.form("/token", {
      grant_type: cibaGrantType,
      auth_req_id: toBase64url(new Uint8Array(16)),
    });
    expect(refused.status).toBe(400);

    const agents = await readAgentEvents(world.broker.site.origin, rival, 0);
    const phones = readEvents(await eve.call("GET", "/app/events"));
    await ada.deny(pending.rid);
    const own = await rival.request();
    await expect.poll(() => JSON.stringify(agents.events)).toContain(own.rid);
    await expect.poll(() => JSON.stringify(phones.events)).toContain(own.rid);
    await sleep(100);
    for (const { events } of [agents, phones]) {
      for (const id of JSON.parse(hers)) expect(JSON.stringify(events)).not.toContain(id);
    }
    agents.close();
    phones.close();
  });
});
