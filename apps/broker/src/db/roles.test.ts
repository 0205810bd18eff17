import { createDatabase, type TestDatabase } from "@countersign/test-kit/postgres";
import { openSql, type Sql } from "@countersign/test-kit/sql";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readEnvironment } from "../env.js";
import { start } from "../start.js";
import { collectingLogger } from "../testing/attack.js";
import { migrate } from "../testing/harness.js";
import { type Connection, connect } from "./client.js";
import { brokerRole } from "./roles.js";
import { rows } from "./rows.js";

let database: TestDatabase;
let connection: Connection;
let owner: Sql;

const silent = { debug() {}, info() {}, warn() {}, error() {} };

beforeAll(async () => {
  database = await createDatabase(migrate);
  // Rights on a database itself do not come with the template that it was made from.
  await migrate(database.url);
  connection = connect(database.url, { role: brokerRole });
  owner = openSql(database.url);
  await rows(
    connection.db,
    sql`insert into leaf (kind, digest, salt, entry) values ('key', 'd', 's', repeat('A', 43))`,
  );
});
afterAll(async () => {
  await connection.close();
  await owner.end();
  await database.drop();
});

describe("the broker's role", () => {
  it.each([
    "update leaf set digest = 'x'",
    "update leaf set created_at = now()",
    "delete from leaf",
    "update leaf set entry = 'x'",
    "truncate leaf",
    "update log_entry set entry = 'x'",
    "delete from log_entry",
    "update log_tile_root set hash = 'x'",
    "delete from log_tile_root",
    "delete from log_head",
    "insert into leaf (seq, kind, digest, salt, entry) overriding system value values (1, 'k', 'd', 's', repeat('A', 43)) on conflict (seq) do update set digest = 'x'",
    "delete from authorization_request",
    "update decision set kind = 'approve'",
    "delete from decision",
    "update outcome set n = 1",
    "delete from outcome",
    "update chain_link set head = 'x'",
    "delete from chain_link",
    "insert into auditor (name, hash) values ('n', 'h')",
    "update auditor set hash = 'x'",
    "delete from auditor",
    "delete from approver",
    "delete from credential",
    "delete from device",
    "create temporary table log_head (size bigint)",
    "drop table leaf",
    "alter table leaf disable trigger all",
    "create table mine (n int)",
    "create function mine() returns int language sql as 'select 1'",
    "alter role countersign_broker superuser",
    "delete from drizzle.__drizzle_migrations",
  ])("is refused: %s", async (statement) => {
    await expect(rows(connection.db, sql.raw(statement))).rejects.toMatchObject({ code: "42501" });
    expect(await rows(connection.db, sql`select digest from leaf`)).toEqual([{ digest: "d" }]);
  });

  it("is what a broker works as", async () => {
    const { log, logged } = collectingLogger();
    const broker = await start(readEnvironment({ DATABASE_URL: database.url, PORT: "0" }), log);
    const { origin } = broker.site;
    const ask = () =>
      fetch(`${origin}/app/nonces`, {
        method: "POST",
        headers: { "content-type": "application/json", origin },
        body: JSON.stringify({ purpose: "login" }),
      });
    expect((await ask()).status).toBe(200);
    await owner.pool.query(`revoke insert on nonce from ${brokerRole}`);
    expect((await ask()).status).toBe(500);
    await owner.pool.query(`grant insert on nonce to ${brokerRole}`);

    // On the connections for decisions, the log's sequencer with them, and on the line between brokers.
    await owner.pool.query(`revoke select on leaf from ${brokerRole}`);
    for (const task of ["sequence", "hints"]) {
      const failed = () => logged.filter((line) => line.includes(`"task":"${task}"`)).length;
      await expect.poll(failed).toBeGreaterThan(0);
    }
    await owner.pool.query(`grant select on leaf to ${brokerRole}`);
    await broker.stop();
  });

  it("is asked for in one sentence where the database's account may make none", async () => {
    const name = `plain_${Date.now().toString(36)}`;
    await owner.pool.query(`create role ${name} login`);
    await owner.pool.query(`create database ${name} owner ${name}`);
    const url = new URL(database.url);
    url.username = name;
    url.pathname = `/${name}`;
    const env = readEnvironment({ DATABASE_URL: url.href, PORT: "0" });
    await expect(start(env, silent)).rejects.toMatchObject({ code: "database_role_missing" });
    await owner.pool.query(`grant ${brokerRole} to ${name}`);
    await (await start(env, silent)).stop();
    await owner.pool.query(`drop database ${name}`);
    await owner.pool.query(`drop role ${name}`);
  });
});
