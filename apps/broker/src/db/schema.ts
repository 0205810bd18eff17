import type { ChainLink, Decision, EcPublicJwk, PairingAcceptance } from "@countersign/shared";
import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  check,
  customType,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uniqueIndex,
} from "drizzle-orm/pg-core";

const bytea = customType<{ data: Uint8Array; driverData: Uint8Array }>({ dataType: () => "bytea" });
const at = (name: string) => timestamp(name, { withTimezone: true });
const createdAt = () => at("created_at").notNull().defaultNow();

/** Values that the broker makes once: signing keys, the relying party that passkeys belong to. */
export const setting = pgTable("setting", {
  name: text("name").primaryKey(),
  value: jsonb("value").notNull(),
});

export const approver = pgTable("approver", {
  id: text("id").primaryKey(),
  name: text("name").notNull(),
  createdAt: createdAt(),
});

export const credential = pgTable(
  "credential",
  {
    id: text("id").primaryKey(),
    approver: text("approver")
      .notNull()
      .references(() => approver.id),
    jwk: jsonb("jwk").$type<EcPublicJwk>().notNull(),
    be: boolean("be").notNull(),
    counter: bigint("counter", { mode: "number" }).notNull(),
    createdAt: createdAt(),
    revokedAt: at("revoked_at"),
  },
  (table) => [index("credential_approver").on(table.approver)],
);

export const device = pgTable(
  "device",
  {
    kid: text("kid").primaryKey(),
    approver: text("approver")
      .notNull()
      .references(() => approver.id),
    sigJwk: jsonb("sig_jwk").$type<EcPublicJwk>().notNull(),
    encJwk: jsonb("enc_jwk").$type<EcPublicJwk>().notNull(),
    createdAt: createdAt(),
    revokedAt: at("revoked_at"),
  },
  (table) => [index("device_approver").on(table.approver)],
);

export const chainLink = pgTable(
  "chain_link",
  {
    approver: text("approver")
      .notNull()
      .references(() => approver.id),
    seq: integer("seq").notNull(),
    head: text("head").notNull(),
    link: jsonb("link").$type<ChainLink>().notNull(),
  },
  (table) => [primaryKey({ columns: [table.approver, table.seq] })],
);

/** Invitations, nonces and sessions are kept by hash or for one use: a copy of the table opens nothing. */
export const invitation = pgTable("invitation", {
  hash: text("hash").primaryKey(),
  createdBy: text("created_by").references(() => approver.id),
  expiresAt: at("expires_at").notNull(),
});

export const nonce = pgTable("nonce", {
  value: text("value").primaryKey(),
  purpose: text("purpose").notNull(),
  expiresAt: at("expires_at").notNull(),
});

export const session = pgTable("session", {
  hash: text("hash").primaryKey(),
  approver: text("approver")
    .notNull()
    .references(() => approver.id),
  createdAt: createdAt(),
  expiresAt: at("expires_at").notNull(),
});

export const agent = pgTable("agent", {
  clientId: text("client_id").primaryKey(),
  jwk: jsonb("jwk").$type<EcPublicJwk>().notNull(),
  name: text("name").notNull(),
  host: text("host").notNull(),
  createdAt: createdAt(),
  lastSeenAt: at("last_seen_at"),
});

export const pairing = pgTable(
  "pairing",
  {
    id: text("id").primaryKey(),
    clientId: text("client_id").notNull(),
    offer: text("offer").notNull(),
    state: text("state").notNull(),
    approver: text("approver").references(() => approver.id),
    acceptance: jsonb("acceptance").$type<PairingAcceptance>(),
    nonce: text("nonce"),
    createdAt: createdAt(),
    expiresAt: at("expires_at").notNull(),
    liveAt: at("live_at"),
  },
  (table) => [
    // One live pairing for an agent and an approver: the pinned keys are those of exactly one P.
    uniqueIndex("pairing_live").on(table.clientId, table.approver).where(sql`state = 'live'`),
    check(
      "pairing_state",
      sql`${table.state} in ('offered', 'accepted', 'revealed', 'live', 'ended')`,
    ),
  ],
);

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

/** The log's records, each written by the statement that made the change. */
export const leaf = pgTable(
  "leaf",
  {
    seq: bigint("seq", { mode: "number" }).primaryKey().generatedAlwaysAsIdentity(),
    kind: text("kind").notNull(),
    rid: text("rid"),
    digest: text("digest").notNull(),
    salt: text("salt").notNull(),
    entry: text("entry").notNull(),
    createdAt: createdAt(),
  },
  (table) => [index("leaf_rid").on(table.rid)],
);

/** Proofs and assertions that were used, until they would be stale anyway. */
export const usedProof = pgTable("used_proof", {
  hash: text("hash").primaryKey(),
  expiresAt: at("expires_at").notNull(),
});
