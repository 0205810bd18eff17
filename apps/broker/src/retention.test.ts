import { evidence, parse, verifyLogged } from "@countersign/shared";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Connection, connect } from "./db/client.js";
import { purgeRecords, purgeSealed } from "./db/retention.js";
import { brokerRole } from "./db/roles.js";
import { firstRow, rows } from "./db/rows.js";
import { attackedWorld, type World } from "./testing/attack.js";
import { expectSoundTree } from "./testing/log-check.js";

let world: World;
let owner: Connection;
let broker: Connection;

const aYear = { records: 365 * 86_400 };

beforeAll(async () => {
  world = await attackedWorld();
  owner = connect(world.broker.databaseUrl);
  broker = connect(world.broker.databaseUrl, { role: brokerRole });
});
afterAll(async () => {
  await owner.close();
  await broker.close();
  await world.close();
});

const settledDaysAgo = (rid: string, days: number) =>
  rows(
    owner.db,
    sql`update authorization_request set settled_at = now() - make_interval(days => ${days}::int) where rid = ${rid}`,
  );

const sequenced = () =>
  expect
    .poll(() => rows(owner.db, sql`select 1 from leaf where log_index is null`))
    .toHaveLength(0);

/** Something that was asked, approved, redeemed and reported, with its place in the log. */
async function finished(): Promise<string> {
  const { phone, agent } = world;
  const request = await agent.request();
  await phone.approve(request.rid);
  expect((await agent.poll(request.rid)).status).toBe(200);
  const outcome = await agent.outcomeOf(request);
  const reported = await agent.call("POST", `/v1/requests/${request.rid}/outcome`, { outcome });
  expect(reported.status).toBe(200);
  await sequenced();
  return request.rid;
}

const countOf = async (table: string, rid: string): Promise<number> => {
  const row = await firstRow<{ n: number }>(
    owner.db,
    sql`select count(*)::int as n from ${sql.identifier(table)} where rid = ${rid}`,
  );
  return row?.n ?? -1;
};
const about = [
  "authorization_request",
  "decision",
  "outcome",
  "ceremony",
  "leaf",
  "sealed_context",
];
const left = async (rid: string) => {
  const counts = await Promise.all(about.map((table) => countOf(table, rid)));
  return about.filter((_, at) => (counts[at] ?? 0) > 0);
};

const purges = async (): Promise<number> => {
  const found = await rows(owner.db, sql`select 1 from leaf where kind = 'purge'`);
  return found.length;
};

describe("records", () => {
  it("go as a whole after their time, not before, and the tree goes on proving what is left", async () => {
    const [old, young] = [await finished(), await finished()];
    const { agent } = world;
    await settledDaysAgo(old, 366);
    await settledDaysAgo(young, 364);
    const before = await purges();
    expect(await purgeRecords(owner.db, aYear)).toBeGreaterThan(3);
    expect([await left(old), await left(young)]).toEqual([[], about]);
    expect(await purges()).toBe(before + 1);
    // Nothing more is to be deleted: then nothing is said of it either.
    expect(await purgeRecords(owner.db, aYear)).toBe(0);
    expect(await purges()).toBe(before + 1);
    await sequenced();
    await expectSoundTree(owner.db);
    const answer = await agent.call("GET", `/v1/requests/${young}/evidence`);
    const { leaves } = parse(evidence, await answer.json());
    const site = await (await fetch(`${world.broker.site.origin}/app/site`)).json();
    for (const { record, proof } of leaves) {
      await verifyLogged(record, proof ?? "", (site as { log_key: string }).log_key);
    }
    expect(leaves.length).toBeGreaterThan(3);
  });

  it("stay while a request is open, however old, and while a leaf of theirs has no place in the tree", async () => {
    const { agent, phone } = world;
    const open = await agent.request();
    await settledDaysAgo(open.rid, 900);
    const waiting = await finished();
    await settledDaysAgo(waiting, 900);
    const purgeWhileWaiting = sql`with moved as (
      update leaf set log_index = null where rid = ${waiting} and kind = 'outcome' returning seq)
      select 1 from moved`;
    // The sequencer would give it another place: it is held meanwhile.
    await rows(owner.db, sql`alter table log_head rename to log_head_held`);
    const places = await rows<{ log_index: number }>(
      owner.db,
      sql`select log_index::float8 as log_index from leaf where rid = ${waiting} and kind = 'outcome'`,
    );
    await rows(owner.db, purgeWhileWaiting);
    await purgeRecords(owner.db, aYear);
    expect(await left(waiting)).toEqual(about);
    await rows(
      owner.db,
      sql`update leaf set log_index = ${places[0]?.log_index} where rid = ${waiting} and kind = 'outcome'`,
    );
    await rows(owner.db, sql`alter table log_head_held rename to log_head`);
    expect(await left(open.rid)).toEqual(["authorization_request", "leaf", "sealed_context"]);
    await phone.deny(open.rid, "no");
    await purgeRecords(owner.db, aYear);
    expect(await left(waiting)).toEqual([]);
  });

  it("are out of reach of the role that the broker works as", async () => {
    const rid = await finished();
    await settledDaysAgo(rid, 900);
    await expect(purgeRecords(broker.db, aYear)).rejects.toMatchObject({ code: "42501" });
    expect(await left(rid)).toEqual(about);
    await purgeRecords(owner.db, aYear);
  });
});

describe("what is sealed", () => {
  it("goes with a leaf, by the broker's own role, and without one when nothing goes", async () => {
    const rid = await finished();
    await settledDaysAgo(rid, 3);
    const before = await purges();
    const after = { contexts: 86_400, pictures: 86_400 };
    expect(await purgeSealed(broker.db, after)).toBeGreaterThan(0);
    expect(await purgeSealed(broker.db, after)).toBe(0);
    expect(await purges()).toBe(before + 1);
    expect(await left(rid)).toEqual(about.filter((table) => table !== "sealed_context"));
  });

  it("is not deleted when that cannot be logged", async () => {
    const rid = await finished();
    await settledDaysAgo(rid, 3);
    await rows(owner.db, sql`alter table leaf rename to leaf_away`);
    const after = { contexts: 86_400, pictures: 86_400 };
    await expect(purgeSealed(broker.db, after)).rejects.toThrow();
    await rows(owner.db, sql`alter table leaf_away rename to leaf`);
    expect(await left(rid)).toContain("sealed_context");
  });
});
