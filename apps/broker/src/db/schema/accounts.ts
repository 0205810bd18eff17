import type {
  ChainLink,
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
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
} from "drizzle-orm/pg-core";
import { at, createdAt } from "./columns.js";

// Approvers with their keys, and the agents that they are paired with.

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
