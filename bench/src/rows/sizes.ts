import { setTimeout as sleep } from "node:timers/promises";
import { withServer } from "@countersign/test-kit/postgres-server";
import { accepted, createHttpClient } from "../load/http.js";
import { median } from "../measure.js";
import { atMost, kibibytes, milliseconds, noGoal, type Row } from "../row.js";
import { type Pair, seedPairs } from "../system/pairs.js";
import { ask, clientToken, decide, poll, prepareRequest, report, sign } from "../system/request.js";
import { startBrokers } from "../system/server.js";

/** Copies of one real finished request, with its decision, ceremony, outcome and leaves. */
const copyRequest = (databaseUrl: string, rid: string, from: number, to: number, state: string) =>
  withServer(databaseUrl, async (sql) => {
    await sql`insert into authorization_request (rid, client_id, request, ar_hash, ctx, sealed_sha256, tier, approvers,
        quorum, approvals, req_nonce, state, outcomes, created_at, expires_at, settled_at)
      select rid || '-' || i, client_id, request, ar_hash, ctx, sealed_sha256 || i, tier, approvers, quorum, approvals, req_nonce,
        ${state}, outcomes, now() - make_interval(secs => i), now() + interval '1 hour', now()
      from authorization_request, generate_series(${from}::int, ${to}::int) i where rid = ${rid}`;
    if (state === "pending") return;
    await sql`insert into decision (rid, approver, kind, cid, decision) select rid || '-' || i, approver, kind, cid || i, decision
      from decision, generate_series(${from}::int, ${to}::int) i where rid = ${rid}`;
    await sql`insert into ceremony (rid, approver, device_kid, cid, broker_nonce, expires_at, consumed_at)
      select rid || '-' || i, approver, device_kid, cid || i, broker_nonce, expires_at, consumed_at
      from ceremony, generate_series(${from}::int, ${to}::int) i where rid = ${rid}`;
    await sql`insert into leaf (kind, rid, digest, salt, entry) select kind, rid || '-' || i, digest, salt, entry
      from leaf, generate_series(${from}::int, ${to}::int) i where rid = ${rid}`;
    await sql`insert into outcome (rid, n, digest, outcome) select rid || '-' || i, n, digest, outcome
      from outcome, generate_series(${from}::int, ${to}::int) i where rid = ${rid}`;
  });

/** Copied leaves come into the log as all others do; a decision would wait for them. */
async function everythingLogged(databaseUrl: string): Promise<void> {
  for (let left = 1; left > 0; ) {
    await sleep(200);
    left = await withServer(databaseUrl, async (sql) => {
      const [row] = await sql`select count(*)::float8 as count from leaf where log_index is null`;
      return (row as { count: number }).count;
    });
  }
}

const databaseBytes = (databaseUrl: string): Promise<number> =>
  withServer(databaseUrl, async (sql) => {
    const [row] = await sql`select pg_database_size(current_database())::float8 as bytes`;
    return (row as { bytes: number }).bytes;
  });

/** What stays the same when a database fills up, and how many bytes fill it. */
export const sizes: Row = {
  name: "sizes",
  async run(bench) {
    const server = await bench.databases();
    const brokers = await startBrokers(await server.database());
    const { databaseUrl, origin } = brokers;
    const http = createHttpClient(origin, brokers.ports[0] ?? 0, 4);
    const pairs = await seedPairs(databaseUrl, origin, bench.smoke ? 2 : 12);
    const tokens = new Map<Pair, string>();
    for (const pair of pairs) tokens.set(pair, await clientToken(pair, http));
    let turn = 0;
    const samples = bench.smoke ? 1 : 30;

    const oneCycle = async (): Promise<{ decide: number; proof: number; rid: string }> => {
      const pair = pairs[turn++ % pairs.length] as Pair;
      const request = await prepareRequest(pair, tokens.get(pair) ?? "");
      const decision = await sign(http, request, await ask(http, request));
      const began = performance.now();
      await decide(http, request, decision);
      const decided = performance.now();
      await poll(http, request);
      const proof = performance.now() - decided;
      await report(http, request);
      return { decide: decided - began, proof, rid: request.rid };
    };
    const inbox = async (): Promise<number> => {
      const pair = pairs[turn++ % pairs.length] as Pair;
      const began = performance.now();
      const headers = { cookie: pair.cookie, "sec-fetch-site": "same-origin" };
      accepted("inbox", await http.call("GET", "/app/requests?view=inbox", headers));
      return performance.now() - began;
    };
    const measure = async () => {
      const decides: number[] = [];
      const proofs: number[] = [];
      const inboxes: number[] = [];
      for (let index = 0; index < samples; index++) {
        const cycle = await oneCycle();
        decides.push(cycle.decide);
        proofs.push(cycle.proof);
        inboxes.push(await inbox());
      }
      return { decide: median(decides), proof: median(proofs), inbox: median(inboxes) };
    };

    const finished = bench.smoke
      ? [10, 100]
      : [10, 1000, 30_000, ...(bench.long ? [1_000_000] : [])];
    const pending = bench.smoke ? 20 : 10_000;
    const { rid } = await oneCycle();
    await measure();
    const found: { count: number; decide: number; proof: number; inbox: number }[] = [];
    const before = await databaseBytes(databaseUrl);
    let there = 0;
    for (const count of finished) {
      // In parts, each a statement of some seconds.
      for (; there < count; there = Math.min(count, there + 50_000)) {
        await copyRequest(databaseUrl, rid, there + 1, Math.min(count, there + 50_000), "reported");
      }
      await everythingLogged(databaseUrl);
      await withServer(databaseUrl, (sql) => sql`vacuum analyze`);
      found.push({ count, ...(await measure()) });
      bench.progress(`${count} finished`);
    }
    const bytesEach = ((await databaseBytes(databaseUrl)) - before) / there;
    // The waiting ones are of one approver; the others look into their inboxes beside them.
    await copyRequest(databaseUrl, rid, there + 1, there + pending, "pending");
    await withServer(databaseUrl, (sql) => sql`vacuum analyze`);
    const crowded = await measure();
    await http.close();
    await brokers.stop();

    const [first, last] = [found[0], found.at(-1)] as [(typeof found)[0], (typeof found)[0]];
    const line = (what: string, value: number, base: number) => ({
      what,
      ours: milliseconds(value),
      against: `with ${first.count} finished ${milliseconds(base)}`,
      ratio: value / base,
      goal: atMost(1.25),
    });
    return {
      lines: [
        line(`decide with ${last.count} finished requests`, last.decide, first.decide),
        line(`inbox with ${last.count} finished requests`, last.inbox, first.inbox),
        line(`evidence with its proof, ${last.count} finished requests`, last.proof, first.proof),
        line(`decide with ${pending} pending requests`, crowded.decide, first.decide),
        line(`inbox with ${pending} pending requests`, crowded.inbox, first.inbox),
        {
          what: "bytes of disk for one finished request, its purged context aside",
          ours: kibibytes(bytesEach),
          against: "itself",
          ratio: 1,
          goal: noGoal,
        },
      ],
      curves: [
        {
          title: "Milliseconds to decide by finished requests in the database",
          x: "finished requests",
          y: "ms",
          points: found.map(({ count, decide: value }) => ({ label: String(count), value })),
        },
      ],
    };
  },
};
