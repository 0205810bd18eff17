import type {
  ChainLink,
  Decision,
  EcPublicJwk,
  LinkedKeys,
  PairingAcceptance,
  SignedFreeze,
  Vouching,
} from "@countersign/shared";
import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  check,
  customType,
  doublePrecision,
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
  /** Counts key chains: a recovery begins a new one. */
  generation: integer("generation").notNull().default(0),
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
    /** Where the passkey was made before its phone knew the approver's id; else it is that id. */
    userHandle: text("user_handle"),
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
    generation: integer("generation").notNull().default(0),
    seq: integer("seq").notNull(),
    head: text("head").notNull(),
    link: jsonb("link").$type<ChainLink>().notNull(),
  },
  // Of two phones that continue a chain at once, exactly one can.
  (table) => [primaryKey({ columns: [table.approver, table.generation, table.seq] })],
);

/** A new phone's public keys, for the old phone to fetch by a link that it scanned. */
export const deviceLink = pgTable("device_link", {
  id: text("id").primaryKey(),
  keys: jsonb("keys").$type<LinkedKeys>().notNull(),
  userHandle: text("user_handle"),
  vouching: jsonb("vouching").$type<Vouching>(),
  createdAt: createdAt(),
  expiresAt: at("expires_at").notNull(),
});

/** Recovery codes by hash, and the one recovery that an approver may have under way. */
export const recoveryCode = pgTable(
  "recovery_code",
  {
    hash: text("hash").primaryKey(),
    approver: text("approver")
      .notNull()
      .references(() => approver.id),
    createdAt: createdAt(),
  },
  (table) => [index("recovery_code_approver").on(table.approver)],
);

export const recovery = pgTable("recovery", {
  approver: text("approver")
    .primaryKey()
    .references(() => approver.id),
  id: text("id").notNull(),
  codeHash: text("code_hash").notNull().unique(),
  startedAt: at("started_at").notNull(),
  readyAt: at("ready_at").notNull(),
  expiresAt: at("expires_at").notNull(),
});

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
  /** A session lives as long as the passkey that opened it, and as the device that proved itself with it. */
  credentialId: text("credential_id")
    .notNull()
    .references(() => credential.id),
  deviceKid: text("device_kid").references(() => device.kid),
  createdAt: createdAt(),
  expiresAt: at("expires_at").notNull(),
});

export const agent = pgTable("agent", {
  clientId: text("client_id").primaryKey(),
  jwk: jsonb("jwk").$type<EcPublicJwk>().notNull(),
  name: text("name").notNull(),
  host: text("host").notNull(),
  /** Counts freezes and lifts: what a new request compares, so that neither misses the other. */
  freezes: integer("freezes").notNull().default(0),
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
    index("pairing_approver").on(table.approver),
    // One live pairing for an agent and an approver: the pinned keys are those of exactly one P.
    uniqueIndex("pairing_live").on(table.clientId, table.approver).where(sql`state = 'live'`),
    check(
      "pairing_state",
      sql`${table.state} in ('offered', 'accepted', 'revealed', 'live', 'ended')`,
    ),
  ],
);

/** The latest F of an approver about an agent. */
export const agentFreeze = pgTable(
  "agent_freeze",
  {
    approver: text("approver")
      .notNull()
      .references(() => approver.id),
    clientId: text("client_id")
      .notNull()
      .references(() => agent.clientId),
    seq: integer("seq").notNull(),
    op: text("op").notNull(),
    signed: jsonb("signed").$type<SignedFreeze>().notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.clientId, table.approver] }),
    index("agent_freeze_approver").on(table.approver),
    check("agent_freeze_op", sql`${table.op} in ('freeze', 'unfreeze')`),
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
    /** Its place in the tree; none as long as no checkpoint covers it. */
    logIndex: bigint("log_index", { mode: "number" }).unique(),
  },
  (table) => [
    index("leaf_rid").on(table.rid),
    index("leaf_unsequenced").on(table.seq).where(sql`log_index is null`),
    // 32 bytes in their one spelling. One that could not be read would keep all after it from the log.
    check("leaf_entry", sql`${table.entry} ~ '^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$'`),
  ],
);

/** Who may read the log's records: a token by its hash. Made and ended by the owner of the tables alone. */
export const auditor = pgTable("auditor", {
  name: text("name").primaryKey(),
  hash: text("hash").notNull().unique(),
  createdAt: createdAt(),
});

/** The one tree head. Whatever the log's key signs stands here before. */
export const logHead = pgTable(
  "log_head",
  {
    only: boolean("only").primaryKey().default(true),
    size: bigint("size", { mode: "number" }).notNull(),
    root: text("root").notNull(),
    /** Roots of the complete subtrees at the right edge: all that appending needs. */
    edge: text("edge").array().notNull(),
    movedAt: at("moved_at").notNull().defaultNow(),
  },
  (table) => [check("log_head_only", sql`${table.only}`)],
);

/** The tree's entries, kept when the records behind them go. */
export const logEntry = pgTable("log_entry", {
  index: bigint("index", { mode: "number" }).primaryKey(),
  entry: text("entry").notNull(),
});

/** What tiles above level 0 are made of: the root of each full tile, in the level above it. */
export const logTileRoot = pgTable(
  "log_tile_root",
  {
    level: integer("level").notNull(),
    index: bigint("index", { mode: "number" }).notNull(),
    hash: text("hash").notNull(),
  },
  (table) => [primaryKey({ columns: [table.level, table.index] })],
);

/** Proofs and assertions that were used, until they would be stale anyway. */
export const usedProof = pgTable("used_proof", {
  hash: text("hash").primaryKey(),
  expiresAt: at("expires_at").notNull(),
});

/** Token buckets that all brokers share. Not logged: after a crash of the database everybody starts with a full one. */
export const rateBucket = pgTable("rate_bucket", {
  key: text("key").primaryKey(),
  tokens: doublePrecision("tokens").notNull(),
  /** How many the last caller was given. */
  granted: integer("granted").notNull(),
  filledAt: at("filled_at").notNull(),
});

/** Where a session's browser can be reached. Signing out or revoking the device ends it with the session. */
export const pushSubscription = pgTable(
  "push_subscription",
  {
    id: text("id").primaryKey(),
    sessionHash: text("session_hash")
      .notNull()
      .unique()
      .references(() => session.hash, { onDelete: "cascade" }),
    approver: text("approver")
      .notNull()
      .references(() => approver.id),
    deviceKid: text("device_kid").references(() => device.kid),
    endpoint: text("endpoint").notNull().unique(),
    p256dh: text("p256dh").notNull(),
    auth: text("auth").notNull(),
    createdAt: createdAt(),
    lastOutcome: text("last_outcome"),
    lastOutcomeAt: at("last_outcome_at"),
    testHash: text("test_hash"),
    testSentAt: at("test_sent_at"),
    testArrivedAt: at("test_arrived_at"),
  },
  (table) => [index("push_subscription_approver").on(table.approver)],
);

/** Alerts to be sent, one for a request and a subscription, written by the statement that stores the request. */
export const pushOutbox = pgTable(
  "push_outbox",
  {
    rid: text("rid")
      .notNull()
      .references(() => authorizationRequest.rid, { onDelete: "cascade" }),
    subscriptionId: text("subscription_id")
      .notNull()
      .references(() => pushSubscription.id, { onDelete: "cascade" }),
    /** `ask`: to be told; `asked`: was told, and is to be told when it is over; `done`. */
    stage: text("stage").notNull().default("ask"),
    attempts: integer("attempts").notNull().default(0),
    /** When it may be tried next. A claim moves it on: it is the lease too. */
    dueAt: at("due_at").notNull().defaultNow(),
  },
  (table) => [
    primaryKey({ columns: [table.rid, table.subscriptionId] }),
    index("push_outbox_due").on(table.dueAt).where(sql`stage <> 'done'`),
    check("push_outbox_stage", sql`${table.stage} in ('ask', 'asked', 'done')`),
  ],
);

/** When an agent last alerted an approver. */
export const pushWindow = pgTable(
  "push_window",
  {
    clientId: text("client_id").notNull(),
    approver: text("approver").notNull(),
    pushedAt: at("pushed_at").array().notNull(),
  },
  (table) => [primaryKey({ columns: [table.clientId, table.approver] })],
);
