import { sql } from "drizzle-orm";
import { expect } from "vitest";
import { connect } from "../db/client.js";
import { rows } from "../db/rows.js";
import type { Ledger } from "./load.js";

interface Kept {
  rid: string;
  state: string;
  decisions: number;
  leaves: Record<string, number>;
}

/** Everything acknowledged is in the database, once, and nothing is there twice. */
export async function expectKept(databaseUrl: string, ledger: Ledger): Promise<void> {
  const { db, close } = connect(databaseUrl);
  try {
    const kept = await rows<Kept>(
      db,
      sql`select r.rid, r.state,
          (select count(*)::int from decision d where d.rid = r.rid) as decisions,
          (select jsonb_object_agg(kind, n) from
            (select kind, count(*) as n from leaf l where l.rid = r.rid and l.kind <> 'open' group by kind) k
          ) as leaves
        from authorization_request r`,
    );
    const byRid = new Map(kept.map((row) => [row.rid, row]));
    for (const rid of ledger.requested) {
      expect(byRid.get(rid)?.leaves["request"], rid).toBe(1);
    }
    for (const rid of ledger.denied) expect(byRid.get(rid), rid).toMatchObject({ state: "denied" });
    for (const rid of ledger.reported) {
      expect(byRid.get(rid), rid).toMatchObject({ state: "reported" });
    }
    for (const rid of ledger.redeemed) {
      expect(["redeemed", "reported"], rid).toContain(byRid.get(rid)?.state);
    }
    for (const rid of ledger.approved) {
      expect(byRid.get(rid)?.leaves["approve"], rid).toBe(1);
    }
    for (const { rid, decisions, leaves } of kept) {
      expect(decisions, rid).toBeLessThanOrEqual(1);
      for (const [kind, count] of Object.entries(leaves)) expect(count, `${rid} ${kind}`).toBe(1);
    }
  } finally {
    await close();
  }
}
