import { type Balancer, startBalancer } from "@countersign/test-kit/balancer";
import { freePort } from "@countersign/test-kit/broker-process";
import { createDatabase, type TestDatabase } from "@countersign/test-kit/postgres";
import {
  createSoftAgent,
  type SoftAgent,
  type SoftRequest,
} from "@countersign/test-kit/soft-agent";
import { createSoftPhone, type SoftPhone } from "@countersign/test-kit/soft-phone";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { codeOf, openDatabase, refusalOf } from "./testing/attack.js";
import { type EventReader, readAgentEvents, readEvents } from "./testing/event-reader.js";
import { migrate, startTestBroker, type TestBroker } from "./testing/harness.js";

// Two brokers on one database. Everything happens on the first; what ends somebody happens on the second.

let database: TestDatabase;
let balancer: Balancer;
let brokers: readonly [TestBroker, TestBroker];
let origin: string;
let here: 0 | 1 = 0;
let ada: SoftPhone;
let agent: SoftAgent;
const open: EventReader[] = [];

beforeAll(async () => {
  database = await createDatabase(migrate);
  const ports = [await freePort(), await freePort()] as const;
  balancer = await startBalancer(() => [ports[here]]);
  origin = `http://localhost:${balancer.port}`;
  const startOne = (port: number) =>
    startTestBroker({ port, databaseUrl: database.url, variables: { PUBLIC_URL: origin } });
  const first = await startOne(ports[0]);
  brokers = [first, await startOne(ports[1])];
  ada = await createSoftPhone({ origin });
  await ada.enrol(brokers[1].firstInvitation ?? "", "Ada");
});
beforeEach(async () => {
  agent = await createSoftAgent({ origin });
  await agent.pairWith(ada);
});
afterEach(() => {
  here = 0;
  for (const reader of open.splice(0)) reader.close();
});
afterAll(async () => {
  for (const broker of brokers) await broker.stop();
  await balancer.close();
  await database.drop();
});

async function elsewhere<T>(act: () => Promise<T>): Promise<T> {
  here = 1;
  try {
    return await act();
  } finally {
    here = 0;
  }
}

/** The promise is two seconds; a machine that does other things too gets more. Nothing else would end it for minutes. */
async function endsSoon(stream: EventReader): Promise<void> {
  let ended = false;
  void stream.ended.then(() => {
    ended = true;
  });
  await expect.poll(() => ended).toBe(true);
}

async function streamOf(response: Promise<Response>): Promise<EventReader> {
  const stream = readEvents(await response);
  expect(stream.status).toBe(200);
  open.push(stream);
  return stream;
}

/** A second phone of Ada's, with a passkey of its own, for which the agent seals. */
async function secondPhone() {
  let cookie = "";
  const second = await createSoftPhone({
    origin,
    fetch: (input, init) => {
      cookie = ((init?.headers ?? {}) as Record<string, string>)["cookie"] ?? cookie;
      return fetch(input, init);
    },
  });
  const { link, added } = await second.keys.offerLink({ ownPasskey: true });
  await ada.keys.addByLink(link);
  await added();
  await second.signIn();
  await second.keys.learnAgents();
  agent.devices.set(ada.approver(), second.device.keys);
  return {
    second,
    /** By the session alone, so that the phone itself goes on using it. */
    signOut: () =>
      fetch(`${origin}/app/session`, { method: "DELETE", headers: { origin, cookie } }),
  };
}

type Phone = Awaited<ReturnType<typeof secondPhone>>;

describe.each([
  {
    what: "session",
    end: ({ signOut }: Phone): Promise<unknown> => signOut(),
    again: "accepted",
    redeems: true,
  },
  {
    what: "device",
    end: ({ second }: Phone): Promise<unknown> => ada.keys.revokeDevice(second.device.kid),
    again: "device_unknown",
    redeems: false,
  },
  {
    what: "passkey",
    end: ({ second }: Phone): Promise<unknown> =>
      ada.keys.revokeCredential(second.authenticator.credential.id),
    again: "credential_unknown",
    redeems: false,
  },
])("a $what that was ended on another broker", ({ what, end, again, redeems }) => {
  it("has no stream, opens nothing, decides nothing, and what it approved is redeemed only if it may", async () => {
    const phone = await secondPhone();
    const { second } = phone;
    const waiting = await agent.request();
    const approval = await second.signApproval(waiting.rid);
    const denial = await second.signDenial(waiting.rid);
    const approved = await agent.request();
    expect(await second.approve(approved.rid)).toBe("approved");
    const stream = await streamOf(second.call("GET", "/app/events"));

    await elsewhere(() => end(phone));
    await endsSoon(stream);

    const path = `/app/requests/${waiting.rid}`;
    const device = { device_kid: second.device.kid };
    for (const [method, target, body] of [
      ["GET", path],
      ["GET", `${path}/context`],
      ["GET", "/app/requests?view=inbox"],
      ["GET", "/app/events"],
      ["POST", `${path}/ceremony`, device],
      ["POST", `${path}/decisions`, approval],
      ["POST", `${path}/decisions`, denial],
      ["DELETE", `/app/agents/${agent.clientId}`],
    ] as const) {
      expect([target, await refusalOf(second.call(method, target, body))]).toEqual([
        target,
        "unauthenticated",
      ]);
    }
    if (what !== "session") {
      // By a session that is still good.
      expect(await codeOf(ada.decide(waiting.rid, approval))).not.toBe("accepted");
    }
    expect((await agent.status(waiting.rid)).state).toBe("pending");
    expect(await codeOf(second.signIn())).toBe(again);

    const answer = await agent.poll(approved.rid);
    const reported = await agent.call("POST", `/v1/requests/${approved.rid}/outcome`, {
      outcome: await agent.outcomeOf(approved),
    });
    if (redeems) expect([answer.status, reported.status]).toEqual([200, 200]);
    else {
      expect(answer).toMatchObject({ status: 400, body: { error: "access_denied" } });
      expect(await refusalOf(reported)).toBe("not_redeemed");
    }
  });
});

describe("a key whose revocation began before its approval and ended after it", () => {
  it.each([
    ["device", ({ second }: Phone) => ada.keys.revokeDevice(second.device.kid)],
    [
      "passkey",
      ({ second }: Phone) => ada.keys.revokeCredential(second.authenticator.credential.id),
    ],
  ])("redeems nothing: %s", async (_, revoke) => {
    const phone = await secondPhone();
    const approved = await agent.request();
    const approval = await phone.second.signApproval(approved.rid);
    const sql = openDatabase(brokers[0]);
    const held = await sql.pool.connect();
    await held.query("begin; lock table chain_link in share mode");
    const revoking = revoke(phone);
    const waits = () => sql`select 1 from pg_locks where not granted
      and relation = 'chain_link'::regclass`;
    await expect.poll(async () => (await waits()).length).toBe(1);
    expect(await codeOf(phone.second.decide(approved.rid, approval))).toBe("accepted");
    await held.query("commit");
    held.release();
    await revoking;
    await sql.end();
    expect(await agent.poll(approved.rid)).toMatchObject({
      status: 400,
      body: { error: "access_denied" },
    });
  });
});

describe("an agent that was unpaired on another broker", () => {
  it("has no stream, asks nothing, redeems nothing and reports nothing, and nobody decides for it", async () => {
    const waiting = await agent.request();
    const approval = await ada.signApproval(waiting.rid);
    const approved = await agent.request();
    expect(await ada.approve(approved.rid)).toBe("approved");
    const redeemed = await agent.request();
    await ada.approve(redeemed.rid);
    expect((await agent.poll(redeemed.rid)).status).toBe(200);
    const prepared = await agent.prepare();
    const stream = await readAgentEvents(origin, agent);
    open.push(stream);

    await elsewhere(() => ada.call("DELETE", `/app/agents/${agent.clientId}`));
    await endsSoon(stream);

    for (const call of [
      agent.upload(prepared),
      agent.call("GET", `/v1/requests/${redeemed.rid}`),
      agent.call("GET", `/v1/requests/${redeemed.rid}/evidence`),
      agent.call("GET", `/v1/approvers/${ada.approver()}/chain`),
      agent.call("GET", "/v1/events"),
      agent.call("POST", `/v1/requests/${waiting.rid}/cancel`, {}),
      reportOf(redeemed),
      agent.authorize(prepared),
      agent.form("/token", { grant_type: "client_credentials" }),
      agent.form("/token", {
        grant_type: "urn:openid:params:grant-type:ciba",
        auth_req_id: approved.rid,
      }),
    ]) {
      expect(await refusalOf(call)).toBe("invalid_client");
    }
    const opening = ada.call("POST", `/app/requests/${waiting.rid}/ceremony`, {
      device_kid: ada.device.kid,
    });
    expect(await refusalOf(opening)).toBe("already_settled");
    expect(await codeOf(ada.decide(waiting.rid, approval))).toBe("already_settled");
  });
});

const reportOf = async (given: SoftRequest): Promise<Response> =>
  agent.call("POST", `/v1/requests/${given.rid}/outcome`, {
    outcome: await agent.outcomeOf(given),
  });
