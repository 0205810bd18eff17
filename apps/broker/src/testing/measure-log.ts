import { fileURLToPath } from "node:url";
import { randomId, randomNonce } from "@countersign/shared";
import { startPostgres } from "@countersign/test-kit/postgres";
import { sql } from "drizzle-orm";
import { connect, type Database } from "../db/client.js";
import { migrateDatabase } from "../db/migrate.js";
import { insertApproval } from "../db/requests.js";
import { rows } from "../db/rows.js";
import { createSequencer } from "../log/sequence.js";
import { seedWorld, type World } from "./seed.js";
import { writeLeaf } from "./write-leaf.js";

// What the log costs, as ratios of the same run on the same machine:
//   npx tsx --conditions=@countersign/source apps/broker/src/testing/measure-log.ts [leaves] [decisions]
const [leaves = 20_000, decisions = 400] = process.argv.slice(2).map(Number);
const inFlight = 16;

async function main(): Promise<void> {
  const server = await startPostgres();
  const { db, close } = connect(server.url);
  try {
    const migrations = fileURLToPath(new URL("../../drizzle", import.meta.url));
    await migrateDatabase(server.url, migrations);
    await measureAppending(db);
    await measureDeciding(db);
  } finally {
    await close();
    await server.stop();
  }
}

/** @returns seconds that it took to do this so many times, with 16 in flight */
async function timed(count: number, act: (index: number) => Promise<unknown>): Promise<number> {
  const began = performance.now();
  let next = 0;
  const worker = async () => {
    while (next < count) await act(next++);
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return (performance.now() - began) / 1000;
}

async function measureAppending(db: Database): Promise<void> {
  await rows(db, sql`create table bare (like leaf including defaults including identity)`);
  const bare = () =>
    rows(
      db,
      sql`insert into bare (kind, digest, salt, entry)
        values ('open', ${randomNonce()}, ${randomNonce()}, ${randomNonce()}) returning entry`,
    );
  await timed(500, bare);
  const bareSeconds = await timed(leaves, bare);
  const unsequenced = await timed(leaves, () => writeLeaf(db, randomNonce()));

  const sequencer = await createSequencer(db, () => {});
  const began = performance.now();
  await sequencer.run();
  const backlog = (performance.now() - began) / 1000;

  let over = false;
  const running = (async () => {
    while (!over) await sequencer.run();
  })();
  const beside = performance.now();
  await timed(leaves, () => writeLeaf(db, randomNonce()));
  over = true;
  await running;
  await sequencer.run();
  const besideSeconds = (performance.now() - beside) / 1000;
  print("bare inserts of the same rows", leaves / bareSeconds);
  print("leaves written, not sequenced", leaves / unsequenced);
  print("leaves sequenced from a backlog", leaves / backlog);
  print("leaves written and sequenced", leaves / besideSeconds);
  process.stdout.write(
    `written and sequenced / bare: ${(bareSeconds / besideSeconds).toFixed(2)}\n`,
  );
}

const print = (what: string, perSecond: number): boolean =>
  process.stdout.write(`${what}: ${Math.round(perSecond)}/s\n`);

async function measureDeciding(db: Database): Promise<void> {
  const world = await seedWorld(db, { approvers: 1, devices: 1 });
  const sequencer = await createSequencer(db, () => {});
  for (const width of [1, inFlight]) {
    const alone = await decideAll(db, world, width, async () => {});
    const logged = await decideAll(db, world, width, () => sequencer.run());
    process.stdout.write(
      `decision under a checkpoint / decision alone, ${width} in flight: ${(logged / alone).toFixed(2)}` +
        ` (${logged.toFixed(2)} ms against ${alone.toFixed(2)} ms)\n`,
    );
  }
}

/** @returns milliseconds that one decision took its caller, on average */
async function decideAll(
  db: Database,
  world: World,
  width: number,
  afterwards: () => Promise<void>,
): Promise<number> {
  const clientId = await world.pairedAgent();
  const { id: approver, credentialId, deviceKids } = world.approver(0);
  const [deviceKid = ""] = deviceKids;
  const asked = Array.from({ length: decisions }, () => ({ rid: randomId(), cid: randomId() }));
  await rows(
    db,
    sql`with given as (select * from jsonb_to_recordset(${JSON.stringify(asked)}::jsonb) as g(rid text, cid text)),
      requested as (
        insert into authorization_request
          (rid, client_id, request, ar_hash, ctx, sealed_sha256, tier, approvers, quorum, req_nonce, expires_at)
        select rid, ${clientId}, '', '', '', '', 'red', array[${approver}], 1, '', now() + interval '1 hour' from given
      )
      insert into ceremony (rid, approver, device_kid, cid, broker_nonce, expires_at)
      select rid, ${approver}, ${deviceKid}, cid, '', now() + interval '1 hour' from given`,
  );
  let spent = 0;
  let next = 0;
  const worker = async () => {
    for (let at = next++; at < asked.length; at = next++) {
      const { rid = "", cid = "" } = asked[at] ?? {};
      const began = performance.now();
      const approval = world.approval(rid);
      const ids = { rid, approver, cid, credentialId, deviceKid };
      await insertApproval(db, { ...ids, digest: randomNonce(), approval });
      await afterwards();
      spent += performance.now() - began;
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
  return spent / asked.length;
}

await main();
