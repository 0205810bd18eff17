import {
  backchannelResponse,
  ceremony,
  nonceCommitment,
  pairingId,
  pairingLink,
  parse,
  randomBytes,
  signPairingOffer,
  toBase64url,
} from "@countersign/shared";
import { freePort } from "@countersign/test-kit/broker-process";
import { createDatabase, type TestDatabase } from "@countersign/test-kit/postgres";
import {
  createSoftAgent,
  type SoftAgent,
  type SoftRequest,
} from "@countersign/test-kit/soft-agent";
import { createSoftPhone, type SoftPhone } from "@countersign/test-kit/soft-phone";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Connection, connect } from "./db/client.js";
import { rows } from "./db/rows.js";
import { readEnvironment } from "./env.js";
import { type RunningBroker, start } from "./start.js";
import { migrate } from "./testing/harness.js";
import { type LossyProxy, startLossyProxy } from "./testing/lossy-proxy.js";

// A caller whose reply was lost cannot know whether its call was carried out. So it repeats the call, and that
// must be harmless: the same answer, and the change made once.

const silent = { debug() {}, info() {}, warn() {}, error() {} };

let database: TestDatabase;
let connection: Connection;
let proxy: LossyProxy;
let broker: RunningBroker;
let phone: SoftPhone;
let agent: SoftAgent;

beforeAll(async () => {
  database = await createDatabase(migrate);
  connection = connect(database.url);
  let port = 0;
  proxy = await startLossyProxy(() => port);
  port = await freePort();
  broker = await start(
    readEnvironment({
      DATABASE_URL: database.url,
      PORT: String(port),
      PUBLIC_URL: `http://localhost:${proxy.port}`,
    }),
    silent,
  );
  phone = await createSoftPhone({ origin: broker.site.origin });
  await phone.enrol(broker.firstInvitation ?? "", "Ada");
  agent = await createSoftAgent({ origin: broker.site.origin });
  await agent.pairWith(phone);
  // From here on every call goes out on a token that is there already.
  await agent.call("GET", "/v1/requests/AAAAAAAAAAAAAAAAAAAAAA");
});
afterAll(async () => {
  await proxy.close();
  await broker.stop();
  await connection.close();
  await database.drop();
});

/** Loses the reply of a call, then makes it again. @returns the second answer */
async function twice<T>(call: () => Promise<T>): Promise<T> {
  await proxy.losingReply(call);
  return call();
}

const leaves = async (rid: string, kind: string): Promise<number> =>
  (await rows(connection.db, sql`select 1 from leaf where rid = ${rid} and kind = ${kind}`)).length;

const age = (rid: string, change: "redeemed_at" | "expires_at", seconds: number) =>
  rows(
    connection.db,
    sql`update authorization_request set ${sql.identifier(change)} = now() - make_interval(secs => ${seconds})
      where rid = ${rid}`,
  );

async function approved(): Promise<SoftRequest> {
  const request = await agent.request();
  await phone.approve(request.rid);
  return request;
}

async function over(request: SoftRequest): Promise<void> {
  await agent.call("POST", `/v1/requests/${request.rid}/cancel`, {});
}

describe("a lost reply, and the call again", () => {
  it("stores a sealed context once", async () => {
    const request = await agent.prepare();
    const again = await twice(() => agent.upload(request));
    expect(again.status).toBe(200);
    expect((await agent.authorize(request)).status).toBe(200);
    await over(request);
  });

  it("answers an authentication request with the same nonce", async () => {
    const request = await agent.prepare();
    await agent.upload(request);
    const first = await twice(() => agent.authorize(request));
    const { auth_req_id, req_nonce } = parse(backchannelResponse, await first.json());
    expect(auth_req_id).toBe(request.rid);
    const second = parse(backchannelResponse, await (await agent.authorize(request)).json());
    expect(second.req_nonce).toBe(req_nonce);
    expect((await agent.status(request.rid)).req_nonce).toBe(req_nonce);
    expect(await leaves(request.rid, "request")).toBe(1);
    await over(request);
  });

  it("opens another ceremony in place of the one that nobody heard of", async () => {
    const request = await agent.request();
    const path = `/app/requests/${request.rid}/ceremony`;
    const again = await twice(() => phone.call("POST", path, { device_kid: phone.device.kid }));
    parse(ceremony, await again.json());
    expect(await phone.approve(request.rid)).toBe("approved");
    await over(request);
  });

  it("counts an approval once", async () => {
    const request = await agent.request();
    const approval = await phone.signApproval(request.rid);
    expect(await twice(() => phone.decide(request.rid, approval))).toBe("approved");
    expect(await leaves(request.rid, "approve")).toBe(1);
    expect((await agent.poll(request.rid)).status).toBe(200);
    expect(await phone.decide(request.rid, approval)).toBe("redeemed");
  });

  it("counts a denial once", async () => {
    const request = await agent.request();
    const denial = await phone.signDenial(request.rid, "no");
    expect(await twice(() => phone.decide(request.rid, denial))).toBe("denied");
    expect(await leaves(request.rid, "deny")).toBe(1);
  });

  it("withdraws once", async () => {
    const request = await agent.request();
    const again = await twice(() => agent.call("POST", `/v1/requests/${request.rid}/cancel`, {}));
    expect(await again.json()).toMatchObject({ state: "canceled" });
    expect(await leaves(request.rid, "cancel")).toBe(1);
  });

  it("appends an outcome once, however it was signed, and another one only under the next number", async () => {
    const request = await approved();
    await agent.poll(request.rid);
    const path = `/v1/requests/${request.rid}/outcome`;
    const times = { started_at: 1_800_000_000, ended_at: 1_800_000_000 };
    const again = await twice(async () =>
      agent.call("POST", path, {
        outcome: await agent.outcomeOf(request, { status: "unknown", ...times }),
      }),
    );
    expect(await again.json()).toMatchObject({ state: "reported", outcomes: 1 });
    const other = await agent.outcomeOf(request, { status: "failed", ...times });
    const refused = await agent.call("POST", path, { outcome: other });
    expect(await refused.json()).toMatchObject({ code: "outcome_out_of_order" });
    const settled = await agent.outcomeOf(request, { n: 2, status: "succeeded", ...times });
    const next = await twice(() => agent.call("POST", path, { outcome: settled }));
    expect(await next.json()).toMatchObject({ state: "reported", outcomes: 2 });
    expect(await leaves(request.rid, "outcome")).toBe(2);
  });

  it("makes no second approver of an enrolment, who then signs in", async () => {
    const other = await createSoftPhone({ origin: broker.site.origin });
    const invitation = await phone.invite();
    const answers: unknown[] = [];
    const lossy = await createSoftPhone({
      origin: broker.site.origin,
      fetch: async (input, init) => {
        if (!String(input).endsWith("/app/approvers")) return fetch(input, init);
        await proxy.losingReply(() => fetch(input, init));
        const again = await fetch(input, init);
        answers.push(await again.clone().json());
        return again;
      },
    });
    await expect(lossy.enrol(invitation, "Grace")).rejects.toMatchObject({
      code: "invitation_invalid",
    });
    expect(answers).toHaveLength(1);
    await lossy.signIn();
    expect(await lossy.me()).toMatchObject({ name: "Grace" });
    await expect(other.enrol(invitation, "Eve")).rejects.toMatchObject({
      code: "invitation_invalid",
    });
  });
});

describe("a redemption whose reply was lost", () => {
  const idempotencyKey = "4QhGkVw0pN9m3ZtY";

  async function redeemedUnheard(): Promise<SoftRequest> {
    const request = await approved();
    await proxy.losingReply(() => agent.poll(request.rid, { idempotencyKey }));
    expect((await agent.status(request.rid)).state).toBe("redeemed");
    return request;
  }
  const used = { status: 400, body: { error: "invalid_grant" } };

  it("is handed out again under the same key, and was one redemption", async () => {
    const request = await redeemedUnheard();
    const { status, body } = await agent.poll(request.rid, { idempotencyKey });
    expect(status).toBe(200);
    expect(body).toMatchObject({ evidence: { decisions: [{ decision: "approve" }] } });
    expect(await leaves(request.rid, "redeem")).toBe(1);
  });

  it("is not handed out without the key, nor under another", async () => {
    const request = await redeemedUnheard();
    expect(await agent.poll(request.rid)).toMatchObject(used);
    const other = { idempotencyKey: `${idempotencyKey}X` };
    expect(await agent.poll(request.rid, other)).toMatchObject(used);
  });

  it("is not handed out when nobody gave a key before", async () => {
    const request = await approved();
    await proxy.losingReply(() => agent.poll(request.rid));
    expect(await agent.poll(request.rid, { idempotencyKey })).toMatchObject(used);
    const evidence = await agent.call("GET", `/v1/requests/${request.rid}/evidence`);
    expect(evidence.status).toBe(200);
  });

  it("is not handed out after a minute", async () => {
    const request = await redeemedUnheard();
    await age(request.rid, "redeemed_at", 59);
    expect((await agent.poll(request.rid, { idempotencyKey })).status).toBe(200);
    await age(request.rid, "redeemed_at", 61);
    expect(await agent.poll(request.rid, { idempotencyKey })).toMatchObject(used);
  });

  it("is not handed out past the deadline", async () => {
    const request = await redeemedUnheard();
    await age(request.rid, "expires_at", 1);
    expect(await agent.poll(request.rid, { idempotencyKey })).toMatchObject(used);
  });

  it("is not handed out once an outcome was reported", async () => {
    const request = await redeemedUnheard();
    const outcome = await agent.outcomeOf(request);
    await agent.call("POST", `/v1/requests/${request.rid}/outcome`, { outcome });
    expect(await agent.poll(request.rid, { idempotencyKey })).toMatchObject(used);
  });
});

describe("a pairing on a bad line", () => {
  async function acceptedPairing() {
    const origin = broker.site.origin;
    const fresh = await createSoftAgent({ origin });
    const secret = randomBytes(32);
    const nonce = randomBytes(32);
    const now = Math.floor(Date.now() / 1000);
    const offer = await signPairingOffer(
      {
        ...{ pairing_id: pairingId(secret), agent_jwk: fresh.jwk, name: "agent", host: "host" },
        ...{ commit: nonceCommitment(nonce), iss: fresh.clientId, aud: origin },
        ...{ iat: now, exp: now + 600 },
      },
      fresh.key,
    );
    const path = `/v1/pairings/${pairingId(secret)}`;
    const offered = await twice(() => fresh.call("POST", "/v1/pairings", { offer }));
    expect(offered.status).toBe(201);
    const lossy = await signedInTwin();
    await lossy.acceptPairing(pairingLink(origin, secret, fresh.clientId));
    return { fresh, path, nonce: toBase64url(nonce) };
  }

  /** The same account behind a line that loses the reply to every acceptance. */
  async function signedInTwin(): Promise<SoftPhone> {
    const lossy = await createSoftPhone({
      origin: broker.site.origin,
      fetch: async (input, init) => {
        if (!String(input).endsWith("/acceptance")) return fetch(input, init);
        return twice(() => fetch(input, init));
      },
    });
    await lossy.enrol(await phone.invite(), "Grace");
    return lossy;
  }

  it("becomes live once, each step repeated", async () => {
    const { fresh, path, nonce } = await acceptedPairing();
    const revealed = await twice(() => fresh.call("POST", `${path}/reveal`, { nonce }));
    expect(await revealed.json()).toMatchObject({ state: "revealed" });
    const confirmed = await twice(() => fresh.call("POST", `${path}/confirm`, {}));
    expect(await confirmed.json()).toMatchObject({ state: "live" });
    expect((await fresh.form("/token", { grant_type: "client_credentials" })).status).toBe(200);
  });

  it("stays live when its confirmation is repeated while the first one is still under way", async () => {
    const { fresh, path, nonce } = await acceptedPairing();
    await fresh.call("POST", `${path}/reveal`, { nonce });
    const confirm = () => fresh.call("POST", `${path}/confirm`, {});
    const answers = await Promise.all([confirm(), confirm(), confirm(), confirm()]);
    for (const answer of answers) {
      expect(await answer.json()).toMatchObject({ state: "live" });
    }
    expect((await fresh.form("/token", { grant_type: "client_credentials" })).status).toBe(200);
  });
});
