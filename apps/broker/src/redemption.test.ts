import { afterAll, beforeAll, expect, it } from "vitest";
import type { Broker } from "./broker.js";
import { loadLogKey } from "./checks.js";
import { type Connection, connect, type Database } from "./db/client.js";
import { createTreeMemory } from "./log/tree-memory.js";
import { redeem } from "./redemption.js";
import { openDatabase, type Sql } from "./testing/attack.js";
import { pairedWorld, startTestBroker, type TestBroker } from "./testing/harness.js";

// Found by cutting agents' lines: their polls came back just while a decision was being put under its checkpoint.

let broker: TestBroker;
let sql: Sql;
let connection: Connection;

beforeAll(async () => {
  broker = await startTestBroker();
  sql = openDatabase(broker);
  connection = connect(broker.databaseUrl);
});
afterAll(async () => {
  await connection.close();
  await sql.end();
  await broker.drop();
});

/** The same database, where something happens just after the first statement with these words. */
function interrupted(db: Database, words: string, happens: () => Promise<unknown>): Database {
  let pending = true;
  const unsafe = async (text: string, ...rest: [never[], object]) => {
    const found = await db.$client.unsafe(text, ...rest);
    if (pending && text.includes(words)) {
      pending = false;
      await happens();
    }
    return found;
  };
  return Object.assign(Object.create(db), { $client: { unsafe } }) as Database;
}

it("redeems an approval whose checkpoint comes while its agent asks for it", async () => {
  const { agent, phone } = await pairedWorld(broker);
  const { rid } = await agent.request();
  await phone.approve(rid);
  const logKey = await loadLogKey(connection.db, broker.site);
  // Nobody else puts anything under a checkpoint from here on.
  await broker.stop();
  const [leaf] = await sql`select log_index from leaf where rid = ${rid} and kind = 'approve'`;
  await sql`update leaf set log_index = null where rid = ${rid} and kind = 'approve'`;
  const checkpoint = () =>
    sql`update leaf set log_index = ${leaf?.["log_index"]} where rid = ${rid} and kind = 'approve'`;
  const db = interrupted(connection.db, "redemption_key_hash = ", checkpoint);
  const silent = { debug() {}, info() {}, warn() {}, error() {} };
  const half = {
    ...{ db, log: silent, logKey, tree: createTreeMemory(db) },
    bus: { publish() {} },
  } as unknown as Broker;
  const found = await redeem(half, agent, { rid, idempotencyKey: undefined });
  expect(found.state).toBe("redeemed");
});
