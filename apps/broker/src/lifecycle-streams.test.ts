import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { appHint, parse, tokenResponse } from "@countersign/shared";
import type { SoftAgent } from "@countersign/test-kit/soft-agent";
import type { SoftPhone } from "@countersign/test-kit/soft-phone";
import { type ServerType, serve } from "@hono/node-server";
import { sql } from "drizzle-orm";
import { Hono } from "hono";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { connect as connectDatabase } from "./db/client.js";
import { rows } from "./db/rows.js";
import { limits } from "./domain/limits.js";
import type { HttpEnv } from "./http/context.js";
import { createEnding } from "./http/ending.js";
import { type EventStream, streamEvents } from "./http/sse.js";
import { type EventReader, readAgentEvents, readEvents, statesOf } from "./testing/event-reader.js";
import { pairedWorld, startTestBroker, type TestBroker } from "./testing/harness.js";

let broker: TestBroker;
let phone: SoftPhone;
let agent: SoftAgent;
const open: EventReader[] = [];

beforeAll(async () => {
  broker = await startTestBroker();
  ({ phone, agent } = await pairedWorld(broker));
});
afterEach(async () => {
  for (const reader of open.splice(0)) {
    reader.close();
    await reader.ended;
  }
});
afterAll(() => broker.drop());

async function agentStream(lastEventId?: number, of = agent): Promise<EventReader> {
  const reader = await readAgentEvents(broker.site.origin, of, lastEventId);
  open.push(reader);
  return reader;
}

async function phoneStream(): Promise<EventReader> {
  const reader = readEvents(await phone.call("GET", "/app/events"));
  open.push(reader);
  return reader;
}

describe("an agent's stream", () => {
  it("tells every change of its requests, with rising ids", async () => {
    const stream = await agentStream();
    const request = await agent.request();
    // A hint tells what a request is when it is read: two changes at once may share one.
    await expect.poll(() => statesOf(stream, request.rid)).toEqual(["pending"]);
    await phone.approve(request.rid);
    await expect.poll(() => statesOf(stream, request.rid)).toEqual(["pending", "approved"]);
    await agent.poll(request.rid);
    const outcome = await agent.outcomeOf(request);
    await expect.poll(() => statesOf(stream, request.rid)).toContain("redeemed");
    await agent.call("POST", `/v1/requests/${request.rid}/outcome`, { outcome });
    await expect.poll(() => statesOf(stream, request.rid)).toContain("reported");
    const ids = stream.events.map(({ id }) => id ?? 0);
    expect(ids).toEqual([...ids].sort((a, b) => a - b));
  });

  it("tells an expiry that nobody asked about", async () => {
    const stream = await agentStream();
    const request = await agent.request({ seconds: 3 });
    await expect.poll(() => statesOf(stream, request.rid)).toEqual(["pending", "expired"]);
  });

  it("says nothing of another agent's requests", async () => {
    const { agent: other } = await otherAgent();
    const mine = await agentStream();
    const theirs = await other.request();
    const own = await agent.request();
    await expect.poll(() => statesOf(mine, own.rid)).toEqual(["pending"]);
    expect(statesOf(mine, theirs.rid)).toEqual([]);
    await phone.deny(own.rid);
  });

  it("replays what a reader missed, more than one page of it too", async () => {
    const request = await agent.request();
    await phone.deny(request.rid);
    const { db, close } = connectDatabase(broker.databaseUrl);
    const [before] = await rows<{ seq: number }>(db, sql`select max(seq)::int as seq from leaf`);
    await rows(
      db,
      sql`with copies as (
        insert into authorization_request (rid, client_id, request, ar_hash, ctx, sealed_sha256, tier,
          approvers, quorum, req_nonce, state, expires_at)
        select left(rid, 17) || lpad(n::text, 5, '0'), client_id, request, ar_hash, ctx, sealed_sha256, tier,
          approvers, quorum, req_nonce, state, expires_at
        from authorization_request, generate_series(1, 2500) n where rid = ${request.rid} returning rid)
      insert into leaf (kind, rid, digest, salt, entry) select 'deny', rid, 'd', 's', repeat('A', 43) from copies`,
    );
    await close();
    const stream = await agentStream(before?.seq);
    const distinct = () => new Set(stream.events.map(({ data }) => JSON.stringify(data))).size;
    await expect.poll(distinct).toBeGreaterThanOrEqual(2500);
  });

  it("replays nothing of what is long over", async () => {
    const { agent: other } = await otherAgent();
    const [old, recent] = [await other.request(), await other.request()];
    await phone.deny(old.rid);
    await phone.deny(recent.rid);
    const { db, close } = connectDatabase(broker.databaseUrl);
    await rows(
      db,
      sql`update leaf set created_at = now() - interval '2 hours' where rid = ${old.rid}`,
    );
    await close();
    const stream = await readAgentEvents(broker.site.origin, other, 0);
    open.push(stream);
    await expect.poll(() => statesOf(stream, recent.rid)).toEqual(["denied"]);
    expect(statesOf(stream, old.rid)).toEqual([]);
  });

  it("ends when nobody is paired with the agent any more", async () => {
    const { agent: other } = await otherAgent();
    const stream = await readAgentEvents(broker.site.origin, other);
    open.push(stream);
    expect((await phone.call("DELETE", `/app/agents/${other.clientId}`)).status).toBe(204);
    await stream.ended;
  });

  it("refuses a Last-Event-ID that is no number", async () => {
    const stream = await readAgentEvents(broker.site.origin, agent, Number.NaN);
    expect(stream.status).toBe(400);
  });

  it("is refused beyond the fourth, and again available once one has ended", async () => {
    // Who has none of its own that the broker has not yet heard the end of.
    const { agent: other } = await otherAgent();
    const status = async () => (await agentStream(undefined, other)).status;
    for (let count = 0; count < limits.streamsPerAgent; count++) expect(await status()).toBe(200);
    expect(await status()).toBe(429);
    open[0]?.close();
    await expect.poll(status).toBe(200);
  });

  it("is not used up by readers who leave before it begins", async () => {
    const { agent: other } = await otherAgent();
    const answer = await other.form("/token", { grant_type: "client_credentials" });
    const { access_token: token } = parse(tokenResponse, await answer.json());
    for (let count = 0; count < 3 * limits.streamsPerAgent; count++) {
      const { hostname, port, host } = new URL(broker.site.origin);
      const socket = connect(Number(port), hostname);
      const proof = await other.dpop("GET", "/v1/events", token);
      socket.write(
        `GET /v1/events HTTP/1.1\r\nhost: ${host}\r\nauthorization: DPoP ${token}\r\ndpop: ${proof}\r\n\r\n`,
      );
      await sleep(count % 6);
      socket.destroy();
    }
    // The broker hears of a closed connection a moment later.
    for (let count = 0; count < limits.streamsPerAgent; count++) {
      await expect.poll(async () => (await agentStream(undefined, other)).status).toBe(200);
    }
  });
});

describe("a phone's stream", () => {
  it("carries the headers that every answer carries", async () => {
    const response = await phone.call("GET", "/app/events");
    open.push(readEvents(response));
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store",
      "content-security-policy": expect.stringContaining("frame-ancestors 'none'"),
      "referrer-policy": "no-referrer",
      "x-content-type-options": "nosniff",
    });
  });

  it("hints at once at a new request and at each change", async () => {
    const stream = await phoneStream();
    const hinted = (rid: string): number =>
      stream.events.filter(({ data }) => parse(appHint, data).rid === rid).length;
    const request = await agent.request();
    await expect.poll(() => hinted(request.rid)).toBe(1);
    await phone.deny(request.rid);
    await expect.poll(() => hinted(request.rid)).toBe(2);
  });

  it("is refused beyond the eighth", async () => {
    // A session that has none of its own that the broker has not yet heard the end of.
    await phone.signIn();
    for (let count = 0; count < limits.streamsPerSession; count++) {
      expect((await phoneStream()).status).toBe(200);
    }
    const refused = await phone.call("GET", "/app/events");
    expect(refused.status).toBe(429);
    expect(refused.headers.get("retry-after")).toBe("1");
    expect(await refused.json()).toMatchObject({ code: "slow_down" });
  });

  it("needs a session", async () => {
    expect((await fetch(`${broker.site.origin}/app/events`)).status).toBe(401);
  });
});

describe("any stream", () => {
  let server: ServerType;
  let stream: EventStream | undefined;
  let outgoing: HttpEnv["Bindings"]["outgoing"] | undefined;
  let stopped = 0;

  beforeAll(async () => {
    const app = new Hono<HttpEnv>().get("/", (c) =>
      streamEvents(c, createEnding(), (given) => {
        stream = given;
        ({ outgoing } = c.env);
        return () => {
          stopped += 1;
        };
      }),
    );
    server = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" });
    await once(server, "listening");
  });
  afterAll(() => server.close());

  const reader = async (): Promise<Socket> => {
    stream = undefined;
    const socket = connect((server.address() as { port: number }).port, "127.0.0.1");
    socket.write("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n");
    await expect.poll(() => stream).toBeDefined();
    return socket;
  };

  it("beats every 15 seconds", async () => {
    vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] });
    try {
      const app = new Hono<HttpEnv>().get("/", (c) =>
        streamEvents(c, createEnding(), () => () => {}),
      );
      const beating = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" });
      await once(beating, "listening");
      const { port } = beating.address() as { port: number };
      const events = readEvents(await fetch(`http://127.0.0.1:${port}/`));
      for (let beats = 1; beats <= 2; beats++) {
        vi.advanceTimersByTime(15_000);
        await expect.poll(() => events.comments.length).toBe(1 + beats);
      }
      expect(events.comments).toEqual(["ready", "heartbeat", "heartbeat"]);
      events.close();
      beating.close();
    } finally {
      vi.useRealTimers();
    }
  });

  it("drops a reader that has stalled, and keeps no backlog for it", async () => {
    const socket = await reader();
    socket.pause();
    const before = stopped;
    const data = "x".repeat(4096);
    // More than the system's own buffers hold; several in one turn, as a replay sends them.
    for (let turn = 0; turn < 2000 && stopped === before; turn++) {
      for (let count = 0; count < 16; count++) stream?.send({ event: "request", data });
      await sleep(0);
    }
    expect(stopped).toBe(before + 1);
    socket.destroy();
  });

  it("that was ended takes a word afterwards without harm, and goes, though its reader has stalled", async () => {
    const socket = await reader();
    socket.pause();
    const before = stopped;
    const data = "x".repeat(4096);
    // Until the system takes no more, and something of it stays here.
    for (let turn = 0; turn < 5000 && outgoing?.writableLength === 0; turn++) {
      stream?.send({ event: "request", data });
      await sleep(0);
    }
    expect(outgoing?.writableLength).toBeGreaterThan(0);
    stream?.close();
    stream?.send({ event: "request", data: "after the end" });
    stream?.close();
    await expect.poll(() => stopped).toBe(before + 1);
    socket.destroy();
  });

  it("ends with its reader, and takes a word afterwards without harm", async () => {
    const socket = await reader();
    const before = stopped;
    socket.destroy();
    await expect.poll(() => stopped).toBe(before + 1);
    stream?.send({ event: "request", data: {} });
    await sleep(20);
  });
});

async function otherAgent(): Promise<{ agent: SoftAgent }> {
  const { createSoftAgent } = await import("@countersign/test-kit/soft-agent");
  const other = await createSoftAgent({ origin: broker.site.origin });
  await other.pairWith(phone);
  return { agent: other };
}
