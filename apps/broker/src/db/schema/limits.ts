import { doublePrecision, integer, pgTable, text } from "drizzle-orm/pg-core";
import { at } from "./columns.js";

// What is remembered for a while, so that nothing is used twice or too often.

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
