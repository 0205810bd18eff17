import { fromBase64url, parse, parseDenial, randomId, requestDetail } from "@countersign/shared";
import { createSoftAgent, type SoftAgent } from "@countersign/test-kit/soft-agent";
import type { SoftPhone } from "@countersign/test-kit/soft-phone";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Connection, connect } from "./db/client.js";
import { purgeSealed, purgeUnreferenced } from "./db/retention.js";
import { rows } from "./db/rows.js";
import { pairedWorld, startTestBroker, type TestBroker } from "./testing/harness.js";

let broker: TestBroker;
let connection: Connection;
let phone: SoftPhone;
let agent: SoftAgent;

beforeAll(async () => {
  broker = await startTestBroker();
  connection = connect(broker.databaseUrl);
  ({ phone, agent } = await pairedWorld(broker));
});
afterAll(async () => {
  await connection.close();
  await broker.drop();
});

const stateIn = async (rid: string): Promise<unknown> => {
  const [row] = await rows<{ state: string }>(
    connection.db,
    sql`select state from authorization_request where rid = ${rid}`,
  );
  return row?.state;
};
const post = (rid: string, what: "cancel" | "outcome", body: unknown = {}) =>
  agent.call("POST", `/v1/requests/${rid}/${what}`, body);

describe("expiry", () => {
  /** The deadline passes; the sweeper comes only within the next second. */
  const lapse = (rid: string) =>
    rows(
      connection.db,
      sql`update authorization_request set expires_at = now() - interval '1 millisecond' where rid = ${rid}`,
    );

  it("holds between two sweeps: no step is taken past the deadline", async () => {
    const pending = await agent.request();
    const approved = await agent.request();
    const signed = await phone.signApproval(pending.rid);
    await phone.approve(approved.rid);
    const denial = await phone.signDenial(approved.rid);
    // One statement, so that the sweeper cannot come between.
    await rows(
      connection.db,
      sql`update authorization_request set expires_at = now() - interval '1 millisecond'
        where rid in (${pending.rid}, ${approved.rid})`,
    );
    const answers = await Promise.allSettled([
      phone.decide(pending.rid, signed),
      phone.decide(approved.rid, denial),
      agent.poll(approved.rid),
      agent.status(pending.rid),
    ]);
    expect(answers[0]).toMatchObject({ reason: { code: "expired" } });
    expect(answers[1]).toMatchObject({ reason: { code: "expired" } });
    expect(answers[2]).toMatchObject({ value: { body: { error: "expired_token" } } });
    expect(answers[3]).toMatchObject({ value: { state: "expired" } });
    expect((await phone.inbox()).map(({ rid }) => rid)).not.toContain(pending.rid);
    expect((await post(pending.rid, "cancel")).status).toBe(200);
    expect((await agent.status(pending.rid)).state).toBe("expired");
  });

  it("is stored by the sweeper, with nobody asking, with one leaf", async () => {
    const request = await agent.request();
    await lapse(request.rid);
    await expect.poll(() => stateIn(request.rid)).toBe("expired");
    const leaves = await rows(
      connection.db,
      sql`select kind from leaf where rid = ${request.rid} order by seq`,
    );
    expect(leaves).toEqual([{ kind: "request" }, { kind: "expire" }]);
  });

  it("frees the agent for another request at once", async () => {
    const open = await Promise.all([agent.request(), agent.request(), agent.request()]);
    await expect(agent.request()).rejects.toThrow("too_many_pending");
    await lapse(open[0].rid);
    const next = await agent.request();
    for (const { rid } of [...open, next]) await post(rid, "cancel");
  });

  it("answers a poll that waits when the time is over", async () => {
    const request = await agent.request({ seconds: 3 });
    expect((await agent.poll(request.rid)).body).toMatchObject({ error: "expired_token" });
  });
});

describe("cancel", () => {
  it("withdraws an approved request before it was redeemed", async () => {
    const request = await agent.request();
    await phone.approve(request.rid);
    expect(await (await post(request.rid, "cancel")).json()).toMatchObject({ state: "canceled" });
    expect((await agent.poll(request.rid)).body).toMatchObject({ error: "access_denied" });
    await expect(phone.deny(request.rid)).rejects.toMatchObject({ code: "already_settled" });
  });

  it("comes too late once redeemed", async () => {
    const request = await agent.request();
    await phone.approve(request.rid);
    await agent.poll(request.rid);
    const refused = await post(request.rid, "cancel");
    expect(refused.status).toBe(409);
    expect(await refused.json()).toMatchObject({ code: "already_settled" });
    expect(await stateIn(request.rid)).toBe("redeemed");
  });

  it("carries no decision, so that nobody takes it for a person's no", async () => {
    const request = await agent.request();
    await post(request.rid, "cancel");
    expect((await agent.poll(request.rid)).body).not.toHaveProperty("decision");
  });
});

describe("outcome", () => {
  it("is taken only once redeemed", async () => {
    const request = await agent.request();
    const outcome = await agent.outcomeOf(request);
    expect(await (await post(request.rid, "outcome", { outcome })).json()).toMatchObject({
      code: "not_redeemed",
    });
    await phone.approve(request.rid);
    expect((await post(request.rid, "outcome", { outcome })).status).toBe(409);
  });

  it("may be unknown, and be settled later under the next number, with no gap", async () => {
    const request = await agent.request();
    await phone.approve(request.rid);
    await agent.poll(request.rid);
    const unknown = await agent.outcomeOf(request, { status: "unknown", code: "crashed" });
    const early = await agent.outcomeOf(request, { n: 2, status: "succeeded" });
    expect(await (await post(request.rid, "outcome", { outcome: early })).json()).toMatchObject({
      code: "outcome_out_of_order",
    });
    await post(request.rid, "outcome", { outcome: unknown });
    const settled = await post(request.rid, "outcome", { outcome: early });
    expect(await settled.json()).toMatchObject({ state: "reported", outcomes: 2 });
    const shown = await phone.call("GET", `/app/requests/${request.rid}`);
    expect(parse(requestDetail, await shown.json()).outcomes).toEqual([unknown, early]);
  });

  it("takes one of two that claim the same number at once", async () => {
    const request = await agent.request();
    await phone.approve(request.rid);
    await agent.poll(request.rid);
    const answers = await Promise.all(
      (["succeeded", "failed", "unknown", "rolled_back"] as const).map(async (status) =>
        post(request.rid, "outcome", { outcome: await agent.outcomeOf(request, { status }) }),
      ),
    );
    expect(answers.filter(({ ok }) => ok)).toHaveLength(1);
    expect((await agent.status(request.rid)).outcomes).toBe(1);
  });
});

describe("a long poll", () => {
  it("redeems nothing for an agent that has gone: the next poll does", async () => {
    const request = await agent.request();
    const gone = new AbortController();
    const waiting = agent.poll(request.rid, { signal: gone.signal }).catch(() => "gone");
    await new Promise((resolve) => setTimeout(resolve, 100));
    gone.abort();
    await waiting;
    await phone.approve(request.rid);
    await new Promise((resolve) => setTimeout(resolve, 1200));
    expect(await stateIn(request.rid)).toBe("approved");
    expect((await agent.poll(request.rid)).status).toBe(200);
  });

  it("loses nothing when the agent goes in the very moment of the approval", async () => {
    for (let round = 0; round < 10; round++) {
      const idempotencyKey = crypto.randomUUID();
      const request = await agent.request();
      const approval = await phone.signApproval(request.rid);
      const gone = new AbortController();
      const waiting = agent
        .poll(request.rid, { signal: gone.signal, idempotencyKey })
        .catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 30));
      const decided = phone.decide(request.rid, approval);
      setTimeout(() => gone.abort(), round);
      await decided;
      const heard = (await waiting)?.status === 200;
      const again = await agent.poll(request.rid, { idempotencyKey });
      expect(again.status, `heard before: ${heard}`).toBe(200);
    }
  });

  it("tells the older of two to slow down, and answers the newer", async () => {
    const request = await agent.request();
    const older = agent.poll(request.rid);
    // Signed, sent and waiting by then, on a slow machine too.
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const newer = agent.poll(request.rid);
    expect(await older).toMatchObject({ status: 400, body: { error: "slow_down" } });
    await phone.approve(request.rid);
    expect((await newer).status).toBe(200);
  });

  it("redeems once, however many ask at once", async () => {
    const request = await agent.request();
    await phone.approve(request.rid);
    const answers = await Promise.all(Array.from({ length: 8 }, () => agent.poll(request.rid)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  it("says of a stranger's request what it says of none", async () => {
    const stranger = await createSoftAgent({ origin: broker.site.origin });
    await stranger.pairWith(phone);
    const request = await agent.request();
    const invalid = { status: 400, body: { error: "invalid_grant" } };
    expect(await stranger.poll(request.rid)).toMatchObject(invalid);
    expect(await stranger.poll(randomId())).toMatchObject(invalid);
    await post(request.rid, "cancel");
  });
});

describe("a sealed context", () => {
  const settledHoursAgo = (rid: string, hours: number) =>
    rows(
      connection.db,
      sql`update authorization_request set settled_at = now() - make_interval(secs => ${hours * 3600})
        where rid = ${rid}`,
    );
  const aDay = { contexts: 24 * 3600, pictures: 24 * 3600 };
  const fetchContext = (rid: string) => phone.call("GET", `/app/requests/${rid}/context`);

  it("is deleted a day after its request was settled, and the request stays", async () => {
    const request = await agent.request();
    await phone.deny(request.rid, "no");
    await settledHoursAgo(request.rid, 23.9);
    await purgeSealed(connection.db, aDay);
    expect((await fetchContext(request.rid)).status).toBe(200);
    await settledHoursAgo(request.rid, 24.1);
    await purgeSealed(connection.db, aDay);
    expect((await fetchContext(request.rid)).status).toBe(404);

    const shown = await phone.call("GET", `/app/requests/${request.rid}`);
    const [decision] = parse(requestDetail, await shown.json()).decisions;
    const statement = fromBase64url(decision?.statement ?? "");
    expect(parseDenial(statement)).toMatchObject({ rid: request.rid, reason: "no" });
  });

  it("stays as long as its request is open", async () => {
    const request = await agent.request();
    await purgeSealed(connection.db, { contexts: 0, pictures: 0 });
    expect((await fetchContext(request.rid)).status).toBe(200);
    await post(request.rid, "cancel");
  });

  it("that no request named is deleted after ten minutes, and not before", async () => {
    const orphan = await agent.prepare();
    await agent.upload(orphan);
    const keptAfter = async (seconds: number): Promise<boolean> => {
      await rows(
        connection.db,
        sql`update sealed_context set created_at = now() - make_interval(secs => ${seconds})
          where sealed_sha256 = ${orphan.sealedSha256}`,
      );
      await purgeUnreferenced(connection.db);
      const found = await rows(
        connection.db,
        sql`select 1 from sealed_context where sealed_sha256 = ${orphan.sealedSha256}`,
      );
      return found.length === 1;
    };
    expect(await keptAfter(590)).toBe(true);
    expect(await keptAfter(610)).toBe(false);
  });
});
