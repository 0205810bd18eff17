import type { RequestState } from "@countersign/shared";
import { sql } from "drizzle-orm";
import type { Database } from "./client.js";
import { lastLeaf } from "./request-reads.js";
import { rows } from "./rows.js";
import { leaf, logHead } from "./schema/log.js";
import { authorizationRequest as request } from "./schema/requests.js";

export const hintChannel = "countersign_hint";

/** A request that some broker has changed. */
export interface RequestChange {
  /** Its leaf's number; an approval that came into the tree has none of its own. */
  seq: number | null;
  rid: string;
  state: RequestState;
  client_id: string;
  approvers: string[];
}

const pageSize = 500;
/** No statement runs longer than this: a number that is still missing then was never used. */
const missingMilliseconds = 10_000;
const maxMissing = 1000;

/**
 * Reads on in the log of changes, from where it left off. Leaves are numbered when they are written and seen when
 * they are committed, so a number that was skipped is looked for again until it can no longer come. Approvals are news
 * once more when they have come under a checkpoint, and a request can be redeemed; the tree has no gaps.
 * @returns a function that resolves with what is new; its calls must not overlap
 */
export function createChangeReader(db: Database): () => Promise<RequestChange[]> {
  let last: number | undefined;
  let treeSize = 0;
  const missing = new Map<number, number>();

  /** A page of the leaves after `after`, those that were skipped, and approvals that have come into the tree. */
  const readPage = async (after: number) => {
    const skipped = JSON.stringify([...missing.keys()]);
    return rows<RequestChange & { opened: boolean; size: number }>(
      db,
      sql`select h.size::float8 as size, l.seq::float8 as seq, l.kind = 'open' as opened, r.rid, r.state, r.client_id,
          to_jsonb(r.approvers) as approvers
        from ${logHead} h left join lateral (
          (select seq, kind, rid from ${leaf} where seq > ${after}::bigint order by seq limit ${pageSize})
          union all
          select seq, kind, rid from ${leaf}
          where seq = any(array(select jsonb_array_elements_text(${skipped}::jsonb)::bigint))
          union all
          select null, kind, rid from ${leaf}
          where log_index >= ${treeSize}::bigint and log_index < h.size and kind = 'approve'
        ) l on true left join ${request} r on r.rid = l.rid
        order by l.seq nulls first`,
    );
  };

  const note = (numbers: readonly number[], after: number): number => {
    const now = performance.now();
    for (const seq of numbers) missing.delete(seq);
    let previous = after;
    for (const seq of numbers.filter((number) => number > after)) {
      for (let skipped = Math.max(previous + 1, seq - maxMissing); skipped < seq; skipped++) {
        missing.set(skipped, now);
      }
      previous = seq;
    }
    for (const [seq, since] of missing) {
      if (now - since > missingMilliseconds || missing.size > maxMissing) missing.delete(seq);
    }
    return previous;
  };

  return async () => {
    if (last === undefined) {
      const [head] = await rows<{ size: number }>(
        db,
        sql`select size::float8 as size from ${logHead}`,
      );
      treeSize = head?.size ?? 0;
      last = await lastLeaf(db);
      return [];
    }
    const changes: RequestChange[] = [];
    for (let before = -1; last > before; ) {
      const found = await readPage(last);
      treeSize = found[0]?.size ?? treeSize;
      const seen = found.flatMap(({ seq }) => (seq === null ? [] : [seq]));
      before = last;
      last = note(seen, last);
      // Keys, pairings and freezes have leaves without a request; an opened ceremony changes none.
      changes.push(...found.filter(({ opened, rid }) => !opened && rid !== null));
      if (seen.length < pageSize) break;
    }
    return changes;
  };
}

/**
 * Tells every broker that there is something to read, by nothing but who says so. Never part of a change's own
 * statement: PostgreSQL takes a lock over all databases to commit it.
 */
export async function notifyBrokers(db: Database, self: string): Promise<void> {
  await rows(db, sql`select pg_notify(${hintChannel}, ${self})`);
}
