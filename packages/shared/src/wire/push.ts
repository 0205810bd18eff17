import * as z from "zod/mini";
import { base64url, bytes32, numericDate } from "../schema.js";

/** What a push service said to the last push to a subscription, in one word. */
export const pushOutcome = z.enum([
  "accepted",
  "gone",
  "busy",
  "unreachable",
  "refused",
  "blocked",
]);
export type PushOutcome = z.infer<typeof pushOutcome>;

/** `GET /app/push`: the key to subscribe with, and this session's subscription as the server knows it. */
export const pushState = z.object({
  application_server_key: base64url,
  subscription: z.optional(
    z.object({
      since: numericDate,
      last: z.optional(z.object({ outcome: pushOutcome, at: numericDate })),
      test: z.optional(
        z.object({ sent_at: numericDate, arrived_after_seconds: z.optional(z.number()) }),
      ),
    }),
  ),
});
export type PushState = z.infer<typeof pushState>;

/**
 * `POST /app/push/subscription`: the browser's subscription, at every open of the app. It belongs to the session
 * and replaces the one before it. `device_kid` is absent on a device that was not enrolled.
 */
export const pushSubscription = z.strictObject({
  endpoint: z.string().check(z.minLength(1), z.maxLength(2048)),
  keys: z.strictObject({
    p256dh: z.string().check(z.length(87)),
    auth: z.string().check(z.length(22)),
  }),
  device_kid: z.optional(bytes32),
});
export type PushSubscriptionBody = z.infer<typeof pushSubscription>;

/** `POST /app/push/test` sends a real push to this session's subscription, and nowhere else. */
export const pushTest = z.object({ outcome: pushOutcome });

/** `POST /app/push/receipts`: the service worker got the test push that carried this token. */
export const pushReceipt = z.strictObject({ token: bytes32 });

/** @see the Push API's declarative push messages */
export const declarativePush = 8030;

/**
 * What a push carries, in Declarative Web Push form: a browser that knows the form shows it by itself, any other
 * hands it to the service worker. Never the action, and never a button.
 */
export const pushMessage = z.object({
  web_push: z.literal(declarativePush),
  /** The service worker is to see it before it is shown. */
  mutable: z.optional(z.boolean()),
  notification: z.object({
    title: z.string(),
    body: z.string(),
    /** Where a tap leads. */
    navigate: z.url(),
    /** A later notification of the same tag takes the place of an earlier one. */
    tag: z.string(),
    lang: z.string(),
    silent: z.boolean(),
    data: z.optional(z.object({ receipt: bytes32 })),
  }),
});
export type PushMessage = z.infer<typeof pushMessage>;

const tagPrefix = "request:";

export const pushTag = (rid: string): string => `${tagPrefix}${rid}`;

/** The request that a notification is about, if it is about one. */
export const ridOfPushTag = (tag: string): string | undefined =>
  tag.startsWith(tagPrefix) ? tag.slice(tagPrefix.length) : undefined;
