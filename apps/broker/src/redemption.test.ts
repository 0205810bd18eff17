import { randomId } from "@countersign/shared";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Broker } from "./broker.js";
import { loadLogKey } from "./checks.js";
import { type Connection, connect, type Database } from "./db/client.js";
import { firstRow, rows } from "./db/rows.js";
import { redeem } from "./redemption.js";
import { attackedWorld, type World } from "./testing/attack.js";

let world: World;
let owner: Connection;

beforeAll(async () => {
  world = await attackedWorld();
  owner = connect(world.broker.databaseUrl);
});
afterAll(async () => {
  await owner.close();
  await world.close();
});

/** Calls back once, between the first redemption that changed nothing and whatever is asked next. */
function afterRefusedClaim(inner: Database, act: () => Promise<void>): Database {
  const { $client } = inner;
  let acted = false;
  const unsafe = async (...call: Parameters<typeof $client.unsafe>) => {
    const answer = await $client.unsafe(...call);
    if (!acted && answer.length === 0 && call[0].includes("redeemed_at = now()")) {
      acted = true;
      await act();
    }
    return answer;
  };
  return { $client: { unsafe } } as unknown as Database;
}

it("an approval whose checkpoint comes while it is redeemed is redeemed, and not taken for withdrawn", async () => {
  const { agent, phone, broker } = world;
  const { rid } = await agent.request();
  await phone.approve(rid);
  const placed = await firstRow<{ log_index: number }>(
    owner.db,
    sql`select log_index::float8 as log_index from leaf where rid = ${rid} and kind = 'approve'`,
  );
  expect(placed?.log_index).toBeGreaterThan(0);
  // As it was a moment before its checkpoint. The sequencer would give it another place: it is held meanwhile.
  await rows(owner.db, sql`alter table log_head rename to log_head_held`);
  await rows(
    owner.db,
    sql`update leaf set log_index = null where rid = ${rid} and kind = 'approve'`,
  );
  const comes = async () => {
    await rows(
      owner.db,
      sql`update leaf set log_index = ${placed?.log_index} where rid = ${rid} and kind = 'approve'`,
    );
    await rows(owner.db, sql`alter table log_head_held rename to log_head`);
  };
  const silent = () => undefined;
  const given = {
    db: afterRefusedClaim(owner.db, comes),
    bus: { publish: silent, subscribe: () => silent },
    log: { debug: silent, info: silent, warn: silent, error: silent },
    logKey: await loadLogKey(owner.db, broker.site),
  } as unknown as Broker;
  const redeemed = await redeem(
    given,
    { clientId: agent.clientId, jwk: agent.jwk },
    { rid, idempotencyKey: randomId() },
  );
  expect(redeemed.state).toBe("redeemed");
});
