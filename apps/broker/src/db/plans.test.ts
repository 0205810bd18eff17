import { withServer } from "@countersign/test-kit/postgres-server";
import type { Sql } from "@countersign/test-kit/sql";
import { expect, it } from "vitest";
import { pairedWorld, startTestBroker } from "../testing/harness.js";
import { connect } from "./client.js";
import { listHintsSince } from "./request-reads.js";

/** One row, ever; and what the start reads once. */
const known = ["log_head", "invitation", "__drizzle_migrations"];

it("reads no table whole for a request, however few rows it had when the statement was prepared", async () => {
  const broker = await startTestBroker();
  const { agent, phone } = await pairedWorld(broker);
  for (let round = 0; round < 3; round++) {
    const asked = await agent.request();
    await phone.approve(asked.rid);
    await agent.poll(asked.rid);
    const outcome = await agent.outcomeOf(asked);
    await agent.call("POST", `/v1/requests/${asked.rid}/outcome`, { outcome });
    await phone.inbox();
  }
  // Sessions say what they did at their end.
  await broker.stop();
  const whole = await withServer(
    broker.databaseUrl,
    (sql) =>
      sql`select relname, seq_scan::int as scans from pg_stat_user_tables where seq_scan > 0`,
  );
  expect(whole.filter(({ relname }) => !known.includes(relname as string))).toEqual([]);
  await broker.drop();
});

it("looks at no other agent's past for a stream, however many requests there were and are known to be", async () => {
  const broker = await startTestBroker();
  const { agent, phone } = await pairedWorld(broker);
  const asked = await agent.request();
  await phone.deny(asked.rid);
  const known = await withServer(broker.databaseUrl, async (sql) => {
    await sql`insert into agent (client_id, jwk, name, host) select repeat('A', 43), jwk, name, host from agent`;
    await sql`with copies as (
        insert into authorization_request (rid, client_id, request, ar_hash, ctx, sealed_sha256, tier,
          approvers, quorum, req_nonce, state, expires_at, created_at)
        select left(rid, 17) || lpad(n::text, 5, '0'), repeat('A', 43), request, ar_hash, ctx, sealed_sha256, tier,
          approvers, quorum, req_nonce, state, expires_at, now() - interval '1 minute'
        from authorization_request, generate_series(1, 3000) n returning rid)
      insert into leaf (kind, rid, digest, salt, entry, created_at)
      select 'deny', rid, 'd', 's', repeat('A', 43), now() - interval '1 minute' from copies`;
    await sql`analyze`;
    const [{ last } = { last: 0 }] = await sql<{ last: number }[]>`
      select max(seq)::int as last from leaf`;
    return { last, read: await requestsRead(sql) };
  });
  const { db, close } = connect(broker.databaseUrl, { max: 1 });
  // Often enough for the server to plan it once for all.
  for (let turn = 0; turn < 12; turn++) {
    await listHintsSince(db, { clientId: agent.clientId, since: known.last });
  }
  await close();
  await broker.stop();
  const read = await withServer(broker.databaseUrl, requestsRead);
  expect(read - known.read).toBeLessThan(1000);
  await broker.drop();
});

/** By their key, of the whole database's life; sessions say it at their end. */
async function requestsRead(sql: Sql): Promise<number> {
  const [{ read } = { read: 0 }] = await sql<{ read: number }[]>`
    select idx_tup_read::int as read from pg_stat_user_indexes where indexrelname = 'authorization_request_pkey'`;
  return read;
}
