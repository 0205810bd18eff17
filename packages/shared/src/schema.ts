import * as z from "zod/mini";
import { fromBase64url } from "./bytes.js";
import { ProtocolError } from "./errors.js";
import type { Json } from "./json.js";

const isBase64url = (text: string): boolean => {
  try {
    fromBase64url(text);
    return true;
  } catch {
    return false;
  }
};

/** base64url without padding in its one spelling. */
export const base64url = z.string().check(z.maxLength(8_000_000), z.refine(isBase64url));

/** 32 bytes: hashes, nonces, salts, thumbprints. */
export const bytes32 = z.string().check(z.length(43), z.refine(isBase64url));

/** Ids made by one party for another to store: 16 to 64 bytes. */
export const id = z.string().check(z.minLength(22), z.maxLength(86), z.refine(isBase64url));

/** 64-byte ES256 signature (r || s). */
export const signature = z.string().check(z.length(86), z.refine(isBase64url));

/** WebAuthn L3 allows credential ids of up to 1,023 bytes. */
export const credentialId = z
  .string()
  .check(z.minLength(1), z.maxLength(1364), z.refine(isBase64url));

export const numericDate = z.int().check(z.nonnegative(), z.maximum(253_402_300_799));
export const ecPublicJwk = z.strictObject({
  kty: z.literal("EC"),
  crv: z.literal("P-256"),
  x: bytes32,
  y: bytes32,
});

/** Text that people read: well-formed, not empty, bounded in UTF-16 units. */
export const label = (maxLength: number) =>
  z.string().check(z.minLength(1), z.maxLength(maxLength));

/** A name that databases keep too: PostgreSQL's text holds everything but U+0000. */
export const storableLabel = (maxLength: number) =>
  label(maxLength).check(z.refine((text) => !text.includes("\u0000")));

/** C2SP vkey text of the log's key; {@link verifyCheckpoint} reads it strictly. */
export const logKey = storableLabel(400);

/** Any JSON value. What it may hold was checked by the strict parser; z.json() would drop a `__proto__`. */
export const json = z.custom<Json>((value) => value !== undefined);

/**
 * @throws ProtocolError `unknown_member` on a member that is missing, unknown, null or of another type.
 */
export function parse<T>(schema: z.ZodMiniType<T>, value: unknown): T {
  const result = z.safeParse(schema, value);
  if (!result.success) {
    const where = result.error.issues[0]?.path.join(".") ?? "";
    throw new ProtocolError("unknown_member", { reason: where });
  }
  return result.data;
}
