import type { SoftAgent, SoftRequest } from "@countersign/test-kit/soft-agent";
import type { SoftPhone } from "@countersign/test-kit/soft-phone";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Broker } from "./broker.js";
import { loadLogKey } from "./checks.js";
import { type Connection, connect, type Database } from "./db/client.js";
import { findForAgent } from "./db/request-reads.js";
import type { LogKey } from "./domain/ports.js";
import { createTreeMemory } from "./log/tree-memory.js";
import { redeem } from "./redemption.js";
import { codeOf, openDatabase, type Sql } from "./testing/attack.js";
import { enrolledPhone, pairedWorld, startTestBroker, type TestBroker } from "./testing/harness.js";

let broker: TestBroker;
let phone: SoftPhone;
let agent: SoftAgent;
let sql: Sql;
let connection: Connection;
let logKey: LogKey;

beforeAll(async () => {
  broker = await startTestBroker();
  ({ phone, agent } = await pairedWorld(broker));
  sql = openDatabase(broker);
  connection = connect(broker.databaseUrl);
  logKey = await loadLogKey(connection.db, broker.site);
});
afterAll(async () => {
  await connection.close();
  await sql.end();
  await broker.drop();
});

/** As much of a broker as redeeming takes. */
const halfOf = (db: Database): Broker =>
  ({
    ...{ db, logKey, tree: createTreeMemory(db), bus: { publish() {} } },
    log: { debug() {}, info() {}, warn() {}, error() {} },
  }) as unknown as Broker;

describe("a poll that was woken, and saw its request pending before", () => {
  /** What an agent finds when it asks on, after something has happened to a request that it saw pending. */
  async function woken(happens: (request: SoftRequest) => Promise<unknown>) {
    const request = await agent.request();
    const { rid } = request;
    const seen = await findForAgent(connection.db, { rid, clientId: agent.clientId });
    await happens(request);
    const half = halfOf(connection.db);
    return {
      rid,
      poll: (idempotencyKey: string | undefined, by = agent) =>
        redeem(half, by, { rid, idempotencyKey, seen }),
    };
  }
  const cancel = (rid: string) => agent.call("POST", `/v1/requests/${rid}/cancel`, {});

  it.each<[string, (request: SoftRequest) => Promise<unknown>, string]>([
    ["nothing has happened", async () => {}, "pending"],
    ["it was denied", ({ rid }) => phone.deny(rid), "denied"],
    ["it was canceled", ({ rid }) => cancel(rid), "canceled"],
    [
      "it was approved and then denied",
      async ({ rid }) => {
        await phone.approve(rid);
        await phone.deny(rid);
      },
      "denied",
    ],
    [
      "it was approved, and its deadline has passed",
      async ({ rid }) => {
        await phone.approve(rid);
        await sql`update authorization_request set expires_at = now() where rid = ${rid}`;
      },
      "withdrawn|expired",
    ],
    [
      "it was approved by a device that was revoked since",
      async ({ rid }) => {
        await phone.approve(rid);
        await sql`update device set revoked_at = now() where kid = ${phone.device.kid}`;
      },
      "withdrawn",
    ],
  ])("gets nothing when %s", async (_, happens, state) => {
    const { rid, poll } = await woken(happens);
    expect((await poll("key")).state).toMatch(new RegExp(`^(${state})$`));
    expect(await sql`select 1 from leaf where rid = ${rid} and kind = 'redeem'`).toHaveLength(0);
    await sql`update device set revoked_at = null`;
    await cancel(rid);
  });

  it("gets an approval once, however many were woken, and again under its own key alone", async () => {
    const { rid, poll } = await woken((request) => phone.approve(request.rid));
    const keys = ["one", "two", "three", undefined];
    const found = await Promise.all(keys.map((key) => poll(key)));
    const winner = found.findIndex(({ state }) => state === "redeemed");
    expect(found.map(({ state }) => state).toSorted()).toEqual([
      "redeemed",
      ...["used", "used", "used"],
    ]);
    for (const [at, key] of keys.entries()) {
      const isOwn = at === winner && key !== undefined;
      expect((await poll(key)).state, key).toBe(isOwn ? "redeemed" : "used");
    }
    expect(await sql`select 1 from leaf where rid = ${rid} and kind = 'redeem'`).toHaveLength(1);
  });

  it("gets nothing of another agent's, whatever it says that it saw", async () => {
    const { poll } = await woken((request) => phone.approve(request.rid));
    const other = { ...agent, clientId: phone.approver() };
    expect(await codeOf(poll(undefined, other))).toBe("not_found");
    expect((await poll(undefined)).state).toBe("redeemed");
  });

  it("gets nothing of two whose quorum is not reached", async () => {
    const bob = await enrolledPhone(broker, "Bob", phone);
    await agent.pairWith(bob);
    const approvers = [phone.approver(), bob.approver()];
    const { rid } = await agent.request({ approvers, quorum: 2 });
    const seen = await findForAgent(connection.db, { rid, clientId: agent.clientId });
    await phone.approve(rid);
    const poll = () =>
      redeem(halfOf(connection.db), agent, { rid, idempotencyKey: undefined, seen });
    expect((await poll()).state).toBe("pending");
    await bob.approve(rid);
    expect((await poll()).state).toBe("redeemed");
  });
});

/** The same database, where something happens just after the first statement with these words. */
function interrupted(db: Database, words: string, happens: () => Promise<unknown>): Database {
  let pending = true;
  const query: Database["query"] = async (text, values) => {
    const found = await db.query(text, values);
    if (pending && text.includes(words)) {
      pending = false;
      await happens();
    }
    return found;
  };
  return { query };
}

// Found by cutting agents' lines: their polls came back just while a decision was being put under its checkpoint.
it("redeems an approval whose checkpoint comes while its agent asks for it", async () => {
  const { rid } = await agent.request({ approvers: [phone.approver()] });
  await phone.approve(rid);
  // Nobody else puts anything under a checkpoint from here on.
  await broker.stop();
  const [leaf] = await sql`select log_index from leaf where rid = ${rid} and kind = 'approve'`;
  await sql`update leaf set log_index = null where rid = ${rid} and kind = 'approve'`;
  const checkpoint = () =>
    sql`update leaf set log_index = ${leaf?.["log_index"]} where rid = ${rid} and kind = 'approve'`;
  const db = interrupted(connection.db, "redemption_key_hash = ", checkpoint);
  const found = await redeem(halfOf(db), agent, { rid, idempotencyKey: undefined });
  expect(found.state).toBe("redeemed");
});
