import * as z from "zod/mini";
import { hash } from "./hash.js";
import { canonicalBytes } from "./json.js";
import { bytes32, id } from "./schema.js";

export const leafKind = z.enum([
  "enrol",
  "invite",
  "pair",
  "unpair",
  "request",
  "open",
  "approve",
  "deny",
  "cancel",
  "expire",
  "redeem",
  "outcome",
  "key",
  "freeze",
  "recovery",
  "purge",
  "role",
]);
export type LeafKind = z.infer<typeof leafKind>;

/** A record of the log: what happened, by the digest of the object that made it happen (section 5, step 3). */
export const leafRecord = z.strictObject({
  v: z.literal(1),
  salt: bytes32,
  kind: leafKind,
  rid: z.optional(id),
  digest: bytes32,
});
export type LeafRecord = z.infer<typeof leafRecord>;

/** `H("leaf", JCS{v, salt, kind, rid?, digest})`: what goes into the tree; without the salt it says nothing. */
export const leafEntry = (record: LeafRecord): string => hash("leaf", canonicalBytes(record));
