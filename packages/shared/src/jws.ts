import { CompactSign } from "jose";
import * as z from "zod/mini";
import { verifyEs256 } from "#es256";
import { type Bytes, fromBase64url, utf8 } from "./bytes.js";
import { ProtocolError } from "./errors.js";
import { type EcPublicJwk, thumbprint } from "./hash.js";
import { parseCanonical, parseStrict } from "./json.js";
import { bytes32, ecPublicJwk, parse } from "./schema.js";

/** The `typ` of every JWS that this protocol's own objects travel in (section 2). */
export type JwsType = "oauth-authz-req+jwt" | "countersign-outcome+jwt" | "countersign-pairing+jwt";

/** RFC 7515 section 7.1, with a signature of 64 octets. */
const compact = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{86})$/;

const header = z.object({
  alg: z.literal("ES256"),
  typ: z.string(),
  kid: z.optional(bytes32),
  jwk: z.optional(ecPublicJwk),
  crit: z.optional(z.never()),
});

/** @returns the compact JWS over exactly these octets (SignJWT would not keep the canonical form) */
export async function signJws(
  payload: Bytes,
  type: JwsType,
  key: { kid: string; privateKey: CryptoKey },
): Promise<string> {
  return new CompactSign(payload)
    .setProtectedHeader({ alg: "ES256", typ: type, kid: key.kid })
    .sign(key.privateKey);
}

export interface JwsParts {
  payload: Bytes;
  kid: string | undefined;
  /** r || s, and the octets that it is over. */
  signature: Bytes;
  signed: Bytes;
}

/**
 * Reads a compact JWS without trusting it.
 * @throws ProtocolError `invalid_encoding`, `unsupported_algorithm`
 */
export function readJws(jws: string, type: JwsType): JwsParts {
  const parts = compact.exec(jws) as [string, string, string, string] | null;
  if (!parts) throw new ProtocolError("invalid_encoding");
  const [, protectedPart, payloadPart, signaturePart] = parts;
  const signature = fromBase64url(signaturePart);
  const parsed = z.safeParse(header, parseStrict(fromBase64url(protectedPart)));
  if (!parsed.success || parsed.data.typ !== type) throw new ProtocolError("unsupported_algorithm");
  return {
    payload: fromBase64url(payloadPart),
    kid: parsed.data.kid,
    signature,
    signed: utf8(`${protectedPart}.${payloadPart}`),
  };
}

/**
 * Verifies a compact JWS under one known key and returns its payload octets.
 * @throws ProtocolError `invalid_encoding`, `unsupported_algorithm`, `invalid_binding` (bad signature, another key's `kid`)
 * @see RFC 7515 section 5.2
 */
export async function verifyJws(jws: string, type: JwsType, jwk: EcPublicJwk): Promise<Bytes> {
  const { payload, kid, signature, signed } = readJws(jws, type);
  if (kid !== undefined && kid !== thumbprint(jwk)) throw new ProtocolError("invalid_binding");
  // A key that is none has signed nothing.
  const verified = await verifyEs256(jwk, signature, signed).catch(() => false);
  if (!verified) throw new ProtocolError("invalid_binding");
  return payload;
}

/** Payload of a verified JWS whose octets are JCS (AR and outcome, section 2). */
export function parsePayload<T>(schema: z.ZodMiniType<T>, payload: Bytes): T {
  return parse(schema, parseCanonical(payload));
}
