import type { ChainLink, Decision, LeafKind, PairingAcceptance } from "@countersign/shared";
import { sql } from "drizzle-orm";
import { limits } from "../domain/limits.js";
import type { Database } from "./client.js";
import type { LogHead } from "./log.js";
import { firstRow, textArray } from "./rows.js";
import { approver, chainLink, pairing } from "./schema/accounts.js";
import { leaf, logHead } from "./schema/log.js";
import { decision } from "./schema/requests.js";

/** What evidence is made of beside the request itself, all of one moment. */
export interface EvidenceParts {
  acceptances: PairingAcceptance[];
  decisions: Decision[];
  /** The approvers' key chains, in the approvers' order, each from its root on; a recovery began a new one. */
  chains: ChainLink[][];
  /** Those in the log first. */
  leaves: { kind: LeafKind; digest: string; salt: string; index: number | null }[];
  /** It covers every leaf that has a place. */
  head: LogHead;
}

/**
 * Reads them in one statement: an agent waits for each. Of leaves as many as evidence holds; what anybody can have as
 * many of as they like, openings and outcomes, is what is left out then.
 */
export async function readEvidenceParts(
  db: Database,
  given: { rid: string; clientId: string; approvers: readonly string[] },
): Promise<EvidenceParts> {
  const { rid, clientId, approvers } = given;
  const row = await firstRow<EvidenceParts>(
    db,
    sql`select (
        select coalesce(jsonb_agg(acceptance order by approver), '[]') from ${pairing}
        where client_id = ${clientId} and state = 'live' and approver = any(${textArray(approvers)})
      ) as acceptances, (
        select coalesce(jsonb_agg(decision order by created_at, approver), '[]') from ${decision} where rid = ${rid}
      ) as decisions, (
        select jsonb_agg((
          select coalesce(jsonb_agg(c.link order by c.seq), '[]') from ${chainLink} c
          join ${approver} a on a.id = c.approver and a.generation = c.generation
          where c.approver = named.approver) order by named.at)
        from unnest(${textArray(approvers)}) with ordinality as named(approver, at)
      ) as chains, (
        select coalesce(jsonb_agg(jsonb_build_object('kind', kind, 'digest', digest, 'salt', salt, 'index', log_index)
          order by log_index, seq), '[]')
        from (select * from ${leaf} where rid = ${rid}
          order by kind in ('open', 'outcome'), seq limit ${limits.leavesInEvidence}) l
      ) as leaves, (
        select jsonb_build_object('size', size, 'root', root) from ${logHead}
      ) as head`,
  );
  if (!row) throw new Error("a row of subqueries was none");
  return row;
}
