import type { PushOutcome } from "@countersign/shared";
import { type SQL, sql } from "drizzle-orm";
import { type AgentLimits, limits } from "../domain/limits.js";
import type { PushTarget } from "../domain/ports.js";
import type { Database } from "./client.js";
import { epoch, firstRow, rows, secondsFromNow, textArray } from "./rows.js";
import { agent, device, session } from "./schema/accounts.js";
import { pushOutbox, pushSubscription, pushWindow } from "./schema/alerts.js";
import { decision, authorizationRequest as request } from "./schema/requests.js";

const inWindow = sql`t > now() - make_interval(secs => ${limits.pushWindowSeconds})`;

/**
 * The part of a new request's statement that lets its approvers be alerted: one row for each of their
 * subscriptions, unless this agent has alerted them often enough lately. `changed` returned the request's rid.
 * Its times stand on one locked row for agent and approver: counting requests would read a stale snapshot.
 */
export const insertAlerts = (
  changed: SQL,
  given: { clientId: string; approvers: readonly string[]; allowed: AgentLimits },
): SQL => sql`counted as (
  insert into ${pushWindow} as w (client_id, approver, pushed_at)
  select ${given.clientId}, named.approver, array[now()]
  from ${changed}, unnest(${textArray(given.approvers)}) as named(approver)
  where exists (select 1 from ${pushSubscription} s where s.approver = named.approver)
  order by named.approver
  on conflict (client_id, approver) do update
    set pushed_at = array(select t from unnest(w.pushed_at || now()) t where ${inWindow})
    where ${given.allowed.pushesPerWindow} > (select count(*) from unnest(w.pushed_at) t where ${inWindow})
  returning approver
), alerted as (
  insert into ${pushOutbox} (rid, subscription_id)
  select changed.rid, s.id from ${changed} cross join counted
  join ${pushSubscription} s on s.approver = counted.approver
)`;

/** An alert that is this broker's to send, until its lease runs out. */
export interface ClaimedPush extends PushTarget {
  rid: string;
  subscriptionId: string;
  stage: "ask" | "asked";
  attempts: number;
  agentName: string;
  secondsLeft: number;
}

/** This approver was asked and need not be any more. */
const answered = sql`(r.state <> 'pending' or exists (
  select 1 from ${decision} d where d.rid = r.rid and d.approver = s.approver))`;

/** Its session and its device are alive. */
const reachable = sql`exists (select 1 from ${session} where hash = s.session_hash and expires_at > now())
  and not exists (select 1 from ${device} where kid = s.device_kid and revoked_at is not null)`;

/** Claims what is due, in one statement: two brokers never hold the same row, and a dead one's rows come back. */
export function claimPushes(db: Database, count: number): Promise<ClaimedPush[]> {
  return rows(
    db,
    sql`with due as (
      select o.rid, o.subscription_id from ${pushOutbox} o
      join ${request} r on r.rid = o.rid
      join ${pushSubscription} s on s.id = o.subscription_id
      where o.due_at <= now() and r.expires_at > now() and ${reachable}
        and ((o.stage = 'ask' and not ${answered}) or (o.stage = 'asked' and ${answered}))
      order by o.due_at limit ${count}
      for update of o skip locked
    )
    update ${pushOutbox} o
    set attempts = o.attempts + 1, due_at = ${secondsFromNow(limits.pushLeaseSeconds)}
    from due, ${request} r, ${agent} a, ${pushSubscription} s
    where o.rid = due.rid and o.subscription_id = due.subscription_id
      and r.rid = o.rid and a.client_id = r.client_id and s.id = o.subscription_id
    returning o.rid, o.subscription_id as "subscriptionId", o.stage, o.attempts, s.endpoint, s.p256dh, s.auth,
      a.name as "agentName", greatest(1, ${epoch(sql`r.expires_at - now()`)}) as "secondsLeft"`,
  );
}

const noteOutcome = (subscriptionId: string, outcome: PushOutcome): SQL => sql`noted as (
  update ${pushSubscription} set last_outcome = ${outcome}, last_outcome_at = now() where id = ${subscriptionId})`;

/** The push service took it: the next stage begins. */
export async function advancePush(db: Database, push: ClaimedPush): Promise<void> {
  await rows(
    db,
    sql`with ${noteOutcome(push.subscriptionId, "accepted")}
    update ${pushOutbox} set attempts = 0, due_at = now(),
      stage = case stage when 'ask' then 'asked' else 'done' end
    where rid = ${push.rid} and subscription_id = ${push.subscriptionId} and stage = ${push.stage}`,
  );
}

/** It is tried again later, unless somebody else has taken it over meanwhile. */
export async function postponePush(
  db: Database,
  push: ClaimedPush,
  given: { outcome: PushOutcome; seconds: number },
): Promise<void> {
  await rows(
    db,
    sql`with ${noteOutcome(push.subscriptionId, given.outcome)}
    update ${pushOutbox} set due_at = ${secondsFromNow(given.seconds)}
    where rid = ${push.rid} and subscription_id = ${push.subscriptionId}
      and stage = ${push.stage} and attempts = ${push.attempts}::int`,
  );
}

/** It will never be taken. */
export async function dropPush(
  db: Database,
  push: ClaimedPush,
  outcome: PushOutcome,
): Promise<void> {
  await rows(
    db,
    sql`with ${noteOutcome(push.subscriptionId, outcome)}
    update ${pushOutbox} set stage = 'done' where rid = ${push.rid} and subscription_id = ${push.subscriptionId}`,
  );
}

/** Forgets a subscription that its push service has ended, unless the browser has renewed it meanwhile. */
export async function deleteEndedSubscription(
  db: Database,
  given: { subscriptionId: string; endpoint: string },
): Promise<void> {
  await rows(
    db,
    sql`delete from ${pushSubscription} where id = ${given.subscriptionId} and endpoint = ${given.endpoint}`,
  );
}

/** Stores a session's subscription in place of the one before it. An endpoint belongs to whoever brought it last. */
export async function putSubscription(
  db: Database,
  given: PushTarget & {
    id: string;
    sessionHash: string;
    approver: string;
    deviceKid: string | undefined;
  },
): Promise<boolean> {
  const row = await firstRow(
    db,
    sql`with moved as (
      delete from ${pushSubscription} where endpoint = ${given.endpoint} and session_hash <> ${given.sessionHash}
      returning id
    )
    insert into ${pushSubscription} as s (id, session_hash, approver, device_kid, endpoint, p256dh, auth)
    select ${given.id}, se.hash, se.approver, d.kid, ${given.endpoint}, ${given.p256dh}, ${given.auth}
    from ${session} se
    left join ${device} d on d.kid = ${given.deviceKid ?? null}::text and d.approver = se.approver
    where se.hash = ${given.sessionHash} and se.approver = ${given.approver} and d.revoked_at is null
      and (select count(*) from moved) >= 0
    on conflict (session_hash) do update set device_kid = excluded.device_kid, endpoint = excluded.endpoint,
      p256dh = excluded.p256dh, auth = excluded.auth,
      created_at = case when s.endpoint = excluded.endpoint then s.created_at else now() end
    returning id`,
  );
  return row !== undefined;
}

export async function deleteSubscription(db: Database, sessionHash: string): Promise<void> {
  await rows(db, sql`delete from ${pushSubscription} where session_hash = ${sessionHash}`);
}

export interface SubscriptionRow extends PushTarget {
  id: string;
  since: number;
  last_outcome: PushOutcome | null;
  last_outcome_at: number | null;
  test_sent_at: number | null;
  test_arrived_after: number | null;
}

export function findSubscription(
  db: Database,
  sessionHash: string,
): Promise<SubscriptionRow | undefined> {
  return firstRow(
    db,
    sql`select id, endpoint, p256dh, auth, ${epoch(sql`created_at`)} as since, last_outcome,
        ${epoch(sql`last_outcome_at`)} as last_outcome_at, ${epoch(sql`test_sent_at`)} as test_sent_at,
        round(extract(epoch from test_arrived_at - test_sent_at), 1)::float8 as test_arrived_after
      from ${pushSubscription} where session_hash = ${sessionHash}`,
  );
}

/** Every live browser of an approver. */
export function listSubscriptions(db: Database, approver: string): Promise<PushTarget[]> {
  return rows(
    db,
    sql`select s.endpoint, s.p256dh, s.auth from ${pushSubscription} s
      where s.approver = ${approver} and ${reachable}`,
  );
}

/** A test begins; an earlier one's receipt counts no more. */
export async function startTest(
  db: Database,
  given: { subscriptionId: string; testHash: string },
): Promise<void> {
  await rows(
    db,
    sql`update ${pushSubscription} set test_hash = ${given.testHash}, test_sent_at = clock_timestamp(),
      test_arrived_at = null where id = ${given.subscriptionId}`,
  );
}

export async function noteTestOutcome(
  db: Database,
  given: { subscriptionId: string; outcome: PushOutcome },
): Promise<void> {
  await rows(
    db,
    sql`update ${pushSubscription} set last_outcome = ${given.outcome}, last_outcome_at = now()
      where id = ${given.subscriptionId}`,
  );
}

/** A receipt counts once. */
export async function confirmTest(db: Database, testHash: string): Promise<boolean> {
  const row = await firstRow(
    db,
    sql`update ${pushSubscription} set test_arrived_at = clock_timestamp(), test_hash = null
      where test_hash = ${testHash} returning id`,
  );
  return row !== undefined;
}

/** The session's device shows nothing about this request any more: neither alert it nor tell it the end. */
export async function settlePush(
  db: Database,
  given: { sessionHash: string; rid: string },
): Promise<void> {
  await rows(
    db,
    sql`update ${pushOutbox} o set stage = 'done' from ${pushSubscription} s
      where s.id = o.subscription_id and s.session_hash = ${given.sessionHash} and o.rid = ${given.rid}`,
  );
}

/** Deletes what no push will come of: requests that are over, devices that were revoked, windows that have passed. */
export async function purgePushes(db: Database): Promise<void> {
  await rows(
    db,
    sql`with over as (
      delete from ${pushOutbox} o using ${request} r where r.rid = o.rid and r.expires_at < now()
    ), revoked as (
      delete from ${pushSubscription} s using ${device} d where d.kid = s.device_kid and d.revoked_at is not null
    )
    delete from ${pushWindow} where not exists (select 1 from unnest(pushed_at) t where ${inWindow})`,
  );
}
