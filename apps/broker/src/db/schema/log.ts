import { sql } from "drizzle-orm";
import {
  bigint,
  boolean,
  check,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
} from "drizzle-orm/pg-core";
import { at, createdAt } from "./columns.js";

// The log, and who may read its records.

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
