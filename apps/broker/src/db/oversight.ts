import type { Oversight } from "@countersign/shared";
import { sql } from "drizzle-orm";
import { limits } from "../domain/limits.js";
import type { Database } from "./client.js";
import { firstRow } from "./rows.js";
import { leaf } from "./schema/log.js";
import { decision, authorizationRequest as request } from "./schema/requests.js";

type Figures = Pick<Oversight, "requests" | "to_decision" | "on_screen" | "agents">;

const spread = (seconds: "to_decision" | "on_screen") => sql`jsonb_build_object(
  'count', count(${sql.raw(seconds)}),
  'median', percentile_cont(0.5) within group (order by ${sql.raw(seconds)}),
  'p90', percentile_cont(0.9) within group (order by ${sql.raw(seconds)}))`;

/**
 * How one approver decides, from the log's records of the last days. All times are those of leaves. A decision and its
 * leaf were written by one statement, so they have one time: that is how a leaf, which names nobody, is known to be this
 * approver's. Openings are known to be theirs only where nobody else could open, so only those requests have a time on
 * screen. A denial by a freeze is no answer to the request.
 */
export async function readOversight(db: Database, approver: string): Promise<Figures> {
  const row = await firstRow<Figures>(
    db,
    sql`with asked as (
      select r.rid, r.client_id, l.created_at as at, cardinality(r.approvers) = 1 as alone
      from ${request} r join ${leaf} l on l.rid = r.rid and l.kind = 'request'
      where r.approvers @> array[${approver}]
        and l.created_at > now() - make_interval(days => ${limits.oversightDays}::int)
    ), answered as (
      select a.rid, min(l.created_at) as at, bool_or(d.kind = 'deny') as denied
      from asked a
      join ${decision} d on d.rid = a.rid and d.approver = ${approver}
      join ${leaf} l on l.rid = d.rid and l.kind = d.kind and l.created_at = d.created_at
      group by a.rid
    ), opened as (
      select a.rid, min(l.created_at) as at
      from asked a join ${leaf} l on l.rid = a.rid and l.kind = 'open'
      where a.alone group by a.rid
    ), story as (
      select a.client_id, w.denied,
        extract(epoch from w.at - a.at)::float8 as to_decision,
        extract(epoch from w.at - o.at)::float8 as on_screen,
        count(*) over (partition by a.client_id order by a.at
          range between interval '1 minute' preceding and current row) as in_a_minute
      from asked a
      left join answered w on w.rid = a.rid
      left join opened o on o.rid = a.rid and o.at <= w.at
    ), by_agent as (
      select client_id, count(*) as requests, count(*) filter (where not denied) as approved,
        count(*) filter (where denied) as denied, max(in_a_minute) as busiest_minute
      from story group by client_id
      order by requests desc, client_id limit ${limits.listPageSize}
    )
    select count(*)::float8 as requests,
      ${spread("to_decision")} as to_decision, ${spread("on_screen")} as on_screen,
      (select coalesce(jsonb_agg(to_jsonb(b) order by b.requests desc, b.client_id), '[]') from by_agent b) as agents
    from story`,
  );
  if (!row) throw new Error("an aggregate gave no row");
  return row;
}
