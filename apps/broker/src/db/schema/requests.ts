import type { Decision, SignedFreeze } from "@countersign/shared";
import { sql } from "drizzle-orm";
import { check, index, integer, jsonb, pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import { agent } from "./accounts.js";
import { at, bytea, createdAt } from "./columns.js";

// What agents ask, what people decide, and what became of it.

export const sealedContext = pgTable(
  "sealed_context",
  {
    clientId: text("client_id").notNull(),
    sealedSha256: text("sealed_sha256").notNull(),
    octets: bytea("octets").notNull(),
    rid: text("rid"),
    createdAt: createdAt(),
  },
  (table) => [
    primaryKey({ columns: [table.clientId, table.sealedSha256] }),
    index("sealed_context_rid").on(table.rid),
  ],
);

export const authorizationRequest = pgTable(
  "authorization_request",
  {
    rid: text("rid").primaryKey(),
    clientId: text("client_id")
      .notNull()
      .references(() => agent.clientId),
    request: text("request").notNull(),
    arHash: text("ar_hash").notNull(),
    ctx: text("ctx").notNull(),
    sealedSha256: text("sealed_sha256").notNull(),
    /** Of the picture's own piece. */
    sealedPictureSha256: text("sealed_picture_sha256"),
    tier: text("tier").notNull(),
    approvers: text("approvers").array().notNull(),
    quorum: integer("quorum").notNull(),
    approvals: integer("approvals").notNull().default(0),
    reqNonce: text("req_nonce").notNull(),
    state: text("state").notNull().default("pending"),
    outcomes: integer("outcomes").notNull().default(0),
    createdAt: createdAt(),
    expiresAt: at("expires_at").notNull(),
    settledAt: at("settled_at"),
    redeemedAt: at("redeemed_at"),
    redemptionKeyHash: text("redemption_key_hash"),
    /** The F that denied it. */
    frozenBy: jsonb("frozen_by").$type<SignedFreeze>(),
  },
  (table) => [
    index("request_open").on(table.expiresAt).where(sql`state in ('pending', 'approved')`),
    index("request_open_client").on(table.clientId).where(sql`state in ('pending', 'approved')`),
    index("request_approvers").using("gin", table.approvers),
    index("request_created").on(table.createdAt),
    check(
      "request_state",
      sql`${table.state} in ('pending', 'approved', 'denied', 'canceled', 'expired', 'redeemed', 'reported')`,
    ),
    // The database itself holds an approval to its quorum.
    check(
      "request_quorum",
      sql`${table.state} not in ('approved', 'redeemed', 'reported') or ${table.approvals} >= ${table.quorum}`,
    ),
  ],
);

/** One live ceremony for a request, an approver and a device: opening again replaces it. */
export const ceremony = pgTable(
  "ceremony",
  {
    rid: text("rid")
      .notNull()
      .references(() => authorizationRequest.rid),
    approver: text("approver").notNull(),
    deviceKid: text("device_kid").notNull(),
    cid: text("cid").notNull().unique(),
    brokerNonce: text("broker_nonce").notNull(),
    expiresAt: at("expires_at").notNull(),
    consumedAt: at("consumed_at"),
  },
  (table) => [primaryKey({ columns: [table.rid, table.approver, table.deviceKid] })],
);

/** At most one approve and one deny for a request and an approver (protocol section 3, object 8). */
export const decision = pgTable(
  "decision",
  {
    rid: text("rid")
      .notNull()
      .references(() => authorizationRequest.rid),
    approver: text("approver").notNull(),
    kind: text("kind").notNull(),
    cid: text("cid"),
    decision: jsonb("decision").$type<Decision>().notNull(),
    createdAt: createdAt(),
  },
  (table) => [
    primaryKey({ columns: [table.rid, table.approver, table.kind] }),
    check("decision_kind", sql`${table.kind} in ('approve', 'deny')`),
  ],
);

export const outcome = pgTable(
  "outcome",
  {
    rid: text("rid")
      .notNull()
      .references(() => authorizationRequest.rid),
    n: integer("n").notNull(),
    digest: text("digest").notNull(),
    outcome: text("outcome").notNull(),
    createdAt: createdAt(),
  },
  (table) => [primaryKey({ columns: [table.rid, table.n] })],
);
