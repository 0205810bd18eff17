import { sql } from "drizzle-orm";
import { check, index, integer, pgTable, primaryKey, text } from "drizzle-orm/pg-core";
import { approver, device, session } from "./accounts.js";
import { at, createdAt } from "./columns.js";
import { authorizationRequest } from "./requests.js";

// How people are alerted.

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
