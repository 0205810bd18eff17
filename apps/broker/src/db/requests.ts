import type { Approval, DeniedDecision, RequestState } from "@countersign/shared";
import { type SQL, sql } from "drizzle-orm";
import { type LifecycleEvent, lifecycle } from "../domain/lifecycle.js";
import { type AgentLimits, limits } from "../domain/limits.js";
import type { Database } from "./client.js";
import { agentIsFrozen, claimAwakeAgent } from "./freezes.js";
import { insertLeaf } from "./leaf.js";
import { insertAlerts } from "./pushes.js";
import { changeRow, epoch, firstRow, json, rows, textArray, words } from "./rows.js";
import { credential, device, pairing } from "./schema/accounts.js";
import { leaf } from "./schema/log.js";
import {
  ceremony,
  decision,
  outcome,
  authorizationRequest as request,
  sealedContext,
} from "./schema/requests.js";

// Every function here is one statement: the change, its leaf and what hangs on it together, with state and
// deadline in the WHERE. `undefined` means that nothing was changed; the caller reads why.

const changed = sql`changed`;

const fromStates = (event: LifecycleEvent): SQL =>
  sql`r.state in (${sql.join(
    lifecycle[event].from.map((state) => sql`${state}`),
    sql`, `,
  )})`;

/** In words, for whoever asks for all that is open: by parameters no plan would know the index over those. */
const isOpen = sql`r.state in (${words(lifecycle.expire.from)})`;

/** The agent is still paired with this approver. */
const pairedWith = (approver: SQL): SQL =>
  sql`exists (select 1 from ${pairing} p
    where p.client_id = r.client_id and p.approver = ${approver} and p.state = 'live')`;

/** No approver who is paired with this agent has it frozen. */
const notFrozen = (clientId: SQL): SQL => sql`not ${agentIsFrozen(clientId)}`;

const inTime = sql`r.expires_at > now()`;

/** Every approval's leaf is in the tree whose head the log's key signs. */
const isLogged = sql`not exists (select 1 from ${leaf} l
  where l.rid = r.rid and l.kind = 'approve' and l.log_index is null)`;

/**
 * No passkey and no device of whoever made decision `d` was revoked since: the lost one may have made it. The agent
 * looks at the chain of keys by itself; here it hears sooner, and of a yes by another of their devices too. Of the two
 * that made it no time is asked: a revocation that began before it may have ended after it, and clocks are set back.
 */
const keysAreKept = sql`not exists (select 1 from ${device} k
    where k.approver = d.approver and k.revoked_at is not null and (k.revoked_at >= d.created_at
      or k.kid = (select c.device_kid from ${ceremony} c where c.cid = d.cid)))
  and not exists (select 1 from ${credential} k
    where k.approver = d.approver and k.revoked_at is not null and (k.revoked_at >= d.created_at
      or k.id = d.decision->'assertion'->>'id'))`;

const countOpen = (clientId: string): SQL =>
  sql`select count(*) from ${request} r
    where r.client_id = ${clientId} and ${isOpen} and ${inTime}`;

export interface NewRequest {
  rid: string;
  clientId: string;
  request: string;
  arHash: string;
  ctx: string;
  sealedSha256: string;
  sealedPictureSha256: string | undefined;
  tier: string;
  approvers: readonly string[];
  quorum: number;
  reqNonce: string;
  expiresAt: number;
  allowed: AgentLimits;
}

/**
 * Stores a request whose context is here, with the picture that it may name, whose approvers are all paired and whose
 * agent has not too many open, together with the alerts to its approvers. Counting reads a snapshot, so the agent's row is claimed as it was
 * in that snapshot: of several requests at once one is stored, and the others are not and may be tried again.
 */
export async function insertRequest(db: Database, given: NewRequest): Promise<boolean> {
  const picture = sql`${given.sealedPictureSha256 ?? null}::text`;
  const row = await changeRow(
    db,
    "request",
    sql`with claimed as (${claimAwakeAgent(given.clientId)}), bound as (
      update ${sealedContext} c set rid = ${given.rid}
      from claimed
      where c.client_id = claimed.client_id and c.sealed_sha256 = ${given.sealedSha256} and c.rid is null
        and ${given.approvers.length} = (
          select count(distinct p.approver) from ${pairing} p where p.client_id = ${given.clientId}
            and p.state = 'live' and p.approver = any(${textArray(given.approvers)}))
        and ${given.allowed.pendingPerAgent} > (${countOpen(given.clientId)})
        and to_timestamp(${given.expiresAt}::float8) > now()
        and (${picture} is null or exists (select 1 from ${sealedContext} p
          where p.client_id = claimed.client_id and p.sealed_sha256 = ${picture} and p.rid is null))
      returning c.client_id
    ), changed as (
      insert into ${request} (rid, client_id, request, ar_hash, ctx, sealed_sha256, sealed_picture_sha256, tier,
        approvers, quorum, req_nonce, expires_at)
      select ${given.rid}, client_id, ${given.request}, ${given.arHash}, ${given.ctx}, ${given.sealedSha256}, ${picture},
        ${given.tier}, ${textArray(given.approvers)}, ${given.quorum}::int, ${given.reqNonce},
        to_timestamp(${given.expiresAt}::float8)
      from bound
      returning rid
    ), pictured as (
      update ${sealedContext} c set rid = changed.rid from changed
      where c.client_id = ${given.clientId} and c.sealed_sha256 = ${picture} and c.rid is null
        and c.sealed_sha256 <> ${given.sealedSha256}
    ), ${insertAlerts(changed, given)},
    logged as (${insertLeaf(changed, { kind: "request", digest: given.arHash, rid: given.rid })})
    select rid from changed`,
  );
  return row !== undefined;
}

/** Whether this agent may have another request open. */
export async function hasRoom(
  db: Database,
  clientId: string,
  { pendingPerAgent }: AgentLimits,
): Promise<boolean> {
  const row = await firstRow(db, sql`select 1 where ${pendingPerAgent} > (${countOpen(clientId)})`);
  return row !== undefined;
}

export interface CeremonyRow {
  cid: string;
  broker_nonce: string;
  expires_at: number;
}

/** Opens a ceremony for this approver's device, in place of the one before it. */
export async function insertCeremony(
  db: Database,
  given: {
    rid: string;
    approver: string;
    deviceKid: string;
    cid: string;
    brokerNonce: string;
    arHash: string;
  },
): Promise<CeremonyRow | undefined> {
  return changeRow<CeremonyRow>(
    db,
    "open",
    sql`with changed as (
      insert into ${ceremony} (rid, approver, device_kid, cid, broker_nonce, expires_at)
      select r.rid, ${given.approver}, d.kid, ${given.cid}, ${given.brokerNonce},
        least(r.expires_at, now() + make_interval(secs => ${limits.ceremonySeconds}))
      from ${request} r
      join ${device} d on d.kid = ${given.deviceKid} and d.approver = ${given.approver} and d.revoked_at is null
      where r.rid = ${given.rid} and ${fromStates("approve")} and ${inTime}
        and ${given.approver} = any(r.approvers) and ${pairedWith(sql`${given.approver}`)}
        and ${notFrozen(sql`r.client_id`)}
        and not exists (select 1 from ${decision} where rid = r.rid and approver = ${given.approver})
      on conflict (rid, approver, device_kid) do update
        set cid = excluded.cid, broker_nonce = excluded.broker_nonce, expires_at = excluded.expires_at, consumed_at = null
      returning cid, broker_nonce, expires_at
    ), logged as (${insertLeaf(changed, { kind: "open", digest: given.arHash, rid: given.rid })})
    select cid, broker_nonce, ${epoch(sql`expires_at`)} as expires_at from changed`,
  );
}

/**
 * Counts one verified approval, and settles the request when it is the quorum's last. The counter stands on
 * the locked row: counting other rows would read a snapshot taken before a concurrent approval. A second
 * approval by the same approver fails on the decision's primary key, and the statement with it.
 */
export async function insertApproval(
  db: Database,
  given: {
    rid: string;
    approver: string;
    cid: string;
    credentialId: string;
    deviceKid: string;
    digest: string;
    approval: Approval;
  },
): Promise<RequestState | undefined> {
  const row = await changeRow<{ state: RequestState }>(
    db,
    "approve",
    sql`with consumed as (
      update ${ceremony} set consumed_at = now()
      where cid = ${given.cid} and rid = ${given.rid} and approver = ${given.approver}
        and device_kid = ${given.deviceKid} and consumed_at is null and expires_at > now()
      returning rid
    ), changed as (
      update ${request} r set
        approvals = r.approvals + 1,
        state = case when r.approvals + 1 >= r.quorum then ${lifecycle.approve.to} else r.state end
      from consumed
      where r.rid = ${given.rid} and r.rid = consumed.rid and ${fromStates("approve")} and ${inTime}
        and ${given.approver} = any(r.approvers) and ${pairedWith(sql`${given.approver}`)}
        and ${notFrozen(sql`r.client_id`)}
        and exists (select 1 from ${credential} where id = ${given.credentialId}
          and approver = ${given.approver} and revoked_at is null)
        and exists (select 1 from ${device} where kid = ${given.deviceKid}
          and approver = ${given.approver} and revoked_at is null)
      returning r.rid, r.state
    ), decided as (
      insert into ${decision} (rid, approver, kind, cid, decision)
      select rid, ${given.approver}, 'approve', ${given.cid}, ${json(given.approval)} from changed
    ), logged as (${insertLeaf(changed, { kind: "approve", digest: given.digest, rid: given.rid })})
    select state from changed`,
  );
  return row?.state;
}

/** Settles the request by one approver's no, whatever the others said. */
export async function insertDenial(
  db: Database,
  given: {
    rid: string;
    approver: string;
    deviceKid: string;
    digest: string;
    denial: DeniedDecision;
  },
): Promise<RequestState | undefined> {
  const row = await changeRow<{ state: RequestState }>(
    db,
    "deny",
    sql`with changed as (
      update ${request} r set state = ${lifecycle.deny.to}, settled_at = now()
      where r.rid = ${given.rid} and ${fromStates("deny")} and ${inTime}
        and ${given.approver} = any(r.approvers)
        and exists (select 1 from ${device} where kid = ${given.deviceKid}
          and approver = ${given.approver} and revoked_at is null)
      returning r.rid, r.state
    ), decided as (
      insert into ${decision} (rid, approver, kind, decision)
      select rid, ${given.approver}, 'deny', ${json(given.denial)} from changed
    ), logged as (${insertLeaf(changed, { kind: "deny", digest: given.digest, rid: given.rid })})
    select state from changed`,
  );
  return row?.state;
}

/** Withdraws a request for its agent. */
export async function cancelRequest(
  db: Database,
  given: { rid: string; clientId: string; arHash: string },
): Promise<boolean> {
  const row = await changeRow(
    db,
    "cancel",
    sql`with changed as (
      update ${request} r set state = ${lifecycle.cancel.to}, settled_at = now()
      where r.rid = ${given.rid} and r.client_id = ${given.clientId} and ${fromStates("cancel")} and ${inTime}
      returning r.rid
    ), logged as (${insertLeaf(changed, { kind: "cancel", digest: given.arHash, rid: given.rid })})
    select rid from changed`,
  );
  return row !== undefined;
}

/** What this agent has open with this approver. */
export async function findOpenBetween(
  db: Database,
  given: { clientId: string; approver: string },
): Promise<{ rid: string; ar_hash: string }[]> {
  return rows(
    db,
    sql`select r.rid, r.ar_hash from ${request} r where r.client_id = ${given.clientId}
      and ${given.approver} = any(r.approvers) and ${isOpen}`,
  );
}

/** Requests whose time is over and that nobody settled yet; at most 500 at a time. */
export async function findOverdue(db: Database): Promise<{ rid: string; ar_hash: string }[]> {
  return rows(
    db,
    sql`select r.rid, r.ar_hash from ${request} r
      where ${isOpen} and r.expires_at <= now() order by r.expires_at limit 500`,
  );
}

export async function expireRequest(
  db: Database,
  given: { rid: string; arHash: string },
): Promise<{ client_id: string; approvers: string[] } | undefined> {
  return changeRow(
    db,
    "expire",
    sql`with changed as (
      update ${request} r set state = ${lifecycle.expire.to}, settled_at = now()
      where r.rid = ${given.rid} and ${fromStates("expire")} and r.expires_at <= now()
      returning r.rid, r.client_id, r.approvers
    ), logged as (${insertLeaf(changed, { kind: "expire", digest: given.arHash, rid: given.rid })})
    select client_id, to_jsonb(approvers) as approvers from changed`,
  );
}

/**
 * Hands an approved request to its agent, once. The decisions themselves are counted, of people who are still
 * paired with it and have lost no key since: a state alone, however it came there, redeems nothing. So does a decision that the log does not show.
 * @param keyHash hash of the caller's Idempotency-Key, for {@link canRedeemAgain}
 */
export async function redeemRequest(
  db: Database,
  given: { rid: string; clientId: string; arHash: string; keyHash: string | null },
): Promise<boolean> {
  const row = await changeRow(
    db,
    "redeem",
    sql`with changed as (
      update ${request} r set state = ${lifecycle.redeem.to}, settled_at = now(), redeemed_at = now(),
        redemption_key_hash = ${given.keyHash}
      where r.rid = ${given.rid} and r.client_id = ${given.clientId} and ${fromStates("redeem")} and ${inTime}
        and r.quorum <= (select count(*) from ${decision} d where d.rid = r.rid and d.kind = 'approve'
          and ${pairedWith(sql`d.approver`)} and ${keysAreKept})
        and ${notFrozen(sql`r.client_id`)} and ${isLogged}
      returning r.rid
    ), logged as (${insertLeaf(changed, { kind: "redeem", digest: given.arHash, rid: given.rid })})
    select rid from changed`,
  );
  return row !== undefined;
}

/** Whether an approved request's decisions still wait for the next checkpoint. */
export async function waitsForLog(db: Database, rid: string): Promise<boolean> {
  const row = await firstRow(
    db,
    sql`select 1 from ${request} r where r.rid = ${rid} and not ${isLogged}`,
  );
  return row !== undefined;
}

/** A redemption whose reply was lost may be asked for again with the same key, for a while and never past the deadline. */
export async function canRedeemAgain(
  db: Database,
  given: { rid: string; clientId: string; keyHash: string },
): Promise<boolean> {
  const row = await firstRow(
    db,
    sql`select r.rid from ${request} r where r.rid = ${given.rid} and r.client_id = ${given.clientId}
      and r.state = ${lifecycle.redeem.to} and ${inTime} and r.redemption_key_hash = ${given.keyHash}
      and r.redeemed_at > now() - make_interval(secs => ${limits.redemptionRetrySeconds})`,
  );
  return row !== undefined;
}

/**
 * Appends the agent's next report, and binds the after-picture that it names. One that is not here, or is another
 * request's, holds up no report: the phone says that it is not kept.
 */
export async function insertOutcome(
  db: Database,
  given: {
    rid: string;
    clientId: string;
    n: number;
    digest: string;
    outcome: string;
    sealedSha256?: string | undefined;
  },
): Promise<boolean> {
  const row = await changeRow(
    db,
    "outcome",
    sql`with changed as (
      update ${request} r set state = ${lifecycle.report.to}, outcomes = r.outcomes + 1, settled_at = now()
      where r.rid = ${given.rid} and r.client_id = ${given.clientId} and ${fromStates("report")}
        and r.outcomes = ${given.n}::int - 1
      returning r.rid
    ), reported as (
      insert into ${outcome} (rid, n, digest, outcome)
      select rid, ${given.n}::int, ${given.digest}, ${given.outcome} from changed
    ), pictured as (
      update ${sealedContext} c set rid = changed.rid from changed
      where c.client_id = ${given.clientId} and c.rid is null
        and c.sealed_sha256 = ${given.sealedSha256 ?? null}::text
    ), logged as (${insertLeaf(changed, { kind: "outcome", digest: given.digest, rid: given.rid })})
    select rid from changed`,
  );
  return row !== undefined;
}
