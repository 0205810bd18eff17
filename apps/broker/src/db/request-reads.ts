import type { Decision, LeafKind, RequestState, SignedFreeze } from "@countersign/shared";
import { type SQL, sql } from "drizzle-orm";
import { limits } from "../domain/limits.js";
import { type LiveKeys, liveKeys } from "./approvers.js";
import type { Database } from "./client.js";
import { epoch, firstRow, rows } from "./rows.js";
import { agent } from "./schema/accounts.js";
import { leaf } from "./schema/log.js";
import { ceremony, decision, outcome, authorizationRequest as request } from "./schema/requests.js";

/** A request as its own agent or one of its approvers may see it. A request of others is not there. */
export interface RequestRow {
  rid: string;
  client_id: string;
  request: string;
  ar_hash: string;
  ctx: string;
  sealed_sha256: string;
  tier: string;
  approvers: string[];
  quorum: number;
  approvals: number;
  req_nonce: string;
  state: RequestState;
  outcomes: number;
  created_at: number;
  expires_at: number;
  settled_at: number | null;
  agent_name: string;
  agent_host: string;
  decided: "approve" | "deny" | null;
  frozen_by: SignedFreeze | null;
}

/** Past its deadline a request is expired, even before the sweeper has said so. */
const effectiveState = sql`case when r.state in ('pending', 'approved') and r.expires_at <= now()
  then 'expired' else r.state end`;

const columns = (approver: string | null): SQL => sql`
  r.rid, r.client_id, r.request, r.ar_hash, r.ctx, r.sealed_sha256, r.tier, to_jsonb(r.approvers) as approvers,
  r.quorum, r.approvals, r.req_nonce, ${effectiveState} as state, r.outcomes,
  ${epoch(sql`r.created_at`)} as created_at, ${epoch(sql`r.expires_at`)} as expires_at,
  ${epoch(sql`r.settled_at`)} as settled_at, a.name as agent_name, a.host as agent_host, r.frozen_by,
  (select d.kind from ${decision} d where d.rid = r.rid and d.approver = ${approver}
    order by d.kind desc limit 1) as decided`;

const from = sql`from ${request} r join ${agent} a on a.client_id = r.client_id`;

export function findForAgent(
  db: Database,
  given: { rid: string; clientId: string },
): Promise<RequestRow | undefined> {
  return firstRow<RequestRow>(
    db,
    sql`select ${columns(null)} ${from} where r.rid = ${given.rid} and r.client_id = ${given.clientId}`,
  );
}

export function findForApprover(
  db: Database,
  given: { rid: string; approver: string },
): Promise<RequestRow | undefined> {
  return firstRow<RequestRow>(
    db,
    sql`select ${columns(given.approver)} ${from}
      where r.rid = ${given.rid} and ${given.approver} = any(r.approvers)`,
  );
}

/** A request with what was decided and what became of it, each in its order. */
export interface RequestWithAnswers extends RequestRow {
  decisions: Decision[];
  /** The agent's reports, as it signed them. */
  reports: string[];
}

export function findWithAnswers(
  db: Database,
  { rid, approver }: { rid: string; approver: string },
): Promise<RequestWithAnswers | undefined> {
  return firstRow<RequestWithAnswers>(
    db,
    sql`select ${columns(approver)}, (
        select coalesce(jsonb_agg(d.decision order by d.created_at, d.approver), '[]')
        from ${decision} d where d.rid = r.rid
      ) as decisions, (
        select coalesce(jsonb_agg(o.outcome order by o.n), '[]') from ${outcome} o where o.rid = r.rid
      ) as reports ${from} where r.rid = ${rid} and ${approver} = any(r.approvers)`,
  );
}

/** What waits for this approver, soonest deadline first. */
export function listInbox(db: Database, approver: string): Promise<RequestRow[]> {
  return rows<RequestRow>(
    db,
    sql`select ${columns(approver)} ${from}
      where r.approvers @> array[${approver}] and r.state = 'pending' and r.expires_at > now()
      order by r.expires_at, r.rid limit ${limits.listPageSize}`,
  );
}

export interface HistoryCursor {
  createdAt: number;
  rid: string;
}

/** What is over, newest first. */
export function listHistory(
  db: Database,
  approver: string,
  before: HistoryCursor | null,
): Promise<RequestRow[]> {
  const page = before
    ? sql`and (floor(extract(epoch from r.created_at)), r.rid) < (${before.createdAt}::float8, ${before.rid})`
    : sql``;
  return rows<RequestRow>(
    db,
    sql`select ${columns(approver)} ${from}
      where r.approvers @> array[${approver}] and not (r.state = 'pending' and r.expires_at > now()) ${page}
      order by floor(extract(epoch from r.created_at)) desc, r.rid desc limit ${limits.listPageSize + 1}`,
  );
}

export interface DecisionRow {
  approver: string;
  kind: "approve" | "deny";
  cid: string | null;
  decision: Decision;
}

export function listDecisions(db: Database, rid: string): Promise<DecisionRow[]> {
  return rows<DecisionRow>(
    db,
    sql`select approver, kind, cid, decision from ${decision} where rid = ${rid} order by created_at, approver`,
  );
}

export async function listOutcomes(
  db: Database,
  rid: string,
): Promise<{ n: number; digest: string; outcome: string }[]> {
  return rows(db, sql`select n, digest, outcome from ${outcome} where rid = ${rid} order by n`);
}

/** When what happened to a request, by its leaves. Of openings and reports, which can be many, the first. */
export async function listTimes(
  db: Database,
  rid: string,
): Promise<{ kind: LeafKind; at: number }[]> {
  return rows(
    db,
    sql`select kind, ${epoch(sql`min(created_at)`)} as at from ${leaf} where rid = ${rid}
      group by kind, case when kind in ('open', 'outcome') then 0 else seq end
      order by min(created_at), min(seq)`,
  );
}

/** A request as an approver opens it and decides over it, with what both are judged by. */
export interface RequestToDecide extends RequestRow, LiveKeys {
  /** This approver's ceremonies that can still be used. */
  ceremonies: { cid: string; device_kid: string; broker_nonce: string }[];
}

export function findToDecide(
  db: Database,
  { rid, approver }: { rid: string; approver: string },
): Promise<RequestToDecide | undefined> {
  return firstRow<RequestToDecide>(
    db,
    sql`select ${columns(approver)}, ${liveKeys(approver)}, (
        select coalesce(jsonb_agg(jsonb_build_object('cid', c.cid, 'device_kid', c.device_kid,
          'broker_nonce', c.broker_nonce)), '[]')
        from ${ceremony} c where c.rid = r.rid and c.approver = ${approver}
          and c.consumed_at is null and c.expires_at > now()
      ) as ceremonies ${from} where r.rid = ${rid} and ${approver} = any(r.approvers)`,
  );
}

const replayFrom = sql`now() - make_interval(secs => ${limits.replaySeconds})`;

/** A leaf that the last hour's requests come after; the newest one, if there were none. */
const hourAgo = sql`coalesce((
    select min(seq) from ${leaf} where rid = (
      select rid from ${request} where created_at > ${replayFrom} order by created_at limit 1)
  ), (select max(seq) from ${leaf}))`;

/** Before a leaf some may be seen later than it: they commit out of order. So many of them, and no older ones, are told again. */
const overlap = { leaves: 1000, seconds: 15 };

/**
 * Hints for an agent's event stream that came after the given leaf, a page of them, with a little overlap. Read along the
 * log, from that leaf on and within the last hour of it: neither an agent's past nor the log's costs anything.
 */
export async function listHintsSince(
  db: Database,
  given: { clientId: string; since: number },
): Promise<{ seq: number; rid: string; state: RequestState }[]> {
  return rows(
    db,
    sql`select max(l.seq)::float8 as seq, r.rid, ${effectiveState} as state
      from (
        select seq, rid from ${leaf}
        where seq > greatest(${given.since}::bigint, ${hourAgo}) - ${overlap.leaves}
          and created_at > ${replayFrom}
          and (seq > ${given.since}::bigint or created_at > now() - make_interval(secs => ${overlap.seconds}))
        -- A fence: planned as one join, every request there ever was would be looked at for its agent.
        offset 0
      ) l join ${request} r on r.rid = l.rid
      where r.client_id = ${given.clientId}
      group by r.rid
      -- What is new first and in order; then the overlap, nearest first.
      order by max(l.seq) <= ${given.since}::bigint, abs(max(l.seq) - ${given.since}::bigint)
      limit ${limits.hintPageSize}`,
  );
}

export async function lastLeaf(db: Database): Promise<number> {
  const row = await firstRow<{ seq: number }>(
    db,
    sql`select coalesce(max(seq), 0)::float8 as seq from ${leaf}`,
  );
  return row?.seq ?? 0;
}
