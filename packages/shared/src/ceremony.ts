import * as z from "zod/mini";
import type { Bytes } from "./bytes.js";
import { hashBytes } from "./hash.js";
import { canonicalBytes } from "./json.js";
import { bytes32, label } from "./schema.js";
import type { Site } from "./site.js";

/** What `login` and `register` challenges are over (section 2): put together by the phone itself. */
export const siteStatement = z.strictObject({
  v: z.literal(1),
  issuer: label(2000),
  rp_id: label(253),
  origin: label(2000),
  broker_nonce: bytes32,
});

export function siteStatementBytes(site: Site, brokerNonce: string): Bytes {
  return canonicalBytes({
    v: 1,
    issuer: site.issuer,
    rp_id: site.rp_id,
    origin: site.origin,
    broker_nonce: brokerNonce,
  });
}

/** The WebAuthn challenge of signing in or creating a passkey. */
export function siteChallenge(
  purpose: "login" | "register",
  site: Site,
  brokerNonce: string,
): Bytes {
  return hashBytes(purpose, siteStatementBytes(site, brokerNonce));
}
