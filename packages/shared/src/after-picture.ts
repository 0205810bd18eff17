import * as z from "zod/mini";
import type { Bytes } from "./bytes.js";
import { ProtocolError } from "./errors.js";
import { type EcPublicJwk, sha256Text } from "./hash.js";
import { canonicalBytes, parseCanonical } from "./json.js";
import { type Screenshot, screenshot } from "./manifest.js";
import { readPictureHeader } from "./picture.js";
import { numericDate, parse } from "./schema.js";
import { openContext, sealContext } from "./sealed-context.js";

/** What stands in place of a manifest beside an after-picture. */
const afterManifest = z.strictObject({
  v: z.literal(1),
  captured_at: numericDate,
  screenshot,
});

export interface AfterPicture {
  bytes: Bytes;
  screenshot: Screenshot;
  /** NumericDate */
  capturedAt: number;
}

/** Never a request's id: what was sealed as one is not opened as the other. */
const aadOf = (rid: string): string => `${rid}.outcome`;

/**
 * Seals the picture of what an action left behind, like a context, for the same pinned keys. Its hash,
 * `sealed_sha256`, goes into the signed outcome, and so binds it to one outcome.
 * @throws ProtocolError `too_large`, `invalid_request` without a recipient
 * @see protocol section 3, object 11
 */
export function sealAfterPicture(
  rid: string,
  { bytes, screenshot, capturedAt }: AfterPicture,
  recipients: readonly EcPublicJwk[],
): Promise<Bytes> {
  const manifestBytes = canonicalBytes({ v: 1, captured_at: capturedAt, screenshot });
  return sealContext({ manifestBytes, picture: bytes }, recipients, aadOf(rid));
}

/**
 * Opens an after-picture, and holds it to the outcome that names it and to what it says of itself, before any
 * decoder sees it.
 * @throws ProtocolError `invalid_binding`, `not_found` when it was not sealed for this device, and the encoding codes
 */
export async function openAfterPicture(
  octets: Uint8Array,
  device: { encKid: string; decryptionKey: CryptoKey },
  named: { rid: string; sealedSha256: string },
): Promise<AfterPicture> {
  if (sha256Text(octets) !== named.sealedSha256) {
    throw new ProtocolError("invalid_binding", { reason: "sealed_sha256" });
  }
  const { manifestBytes, picture: bytes } = await openContext(octets, device, aadOf(named.rid));
  const declared = parse(afterManifest, parseCanonical(manifestBytes));
  const { sha256, mime, width, height } = declared.screenshot;
  const header = readPictureHeader(bytes);
  const asDeclared =
    sha256Text(bytes) === sha256 &&
    header?.mime === mime &&
    header.width === width &&
    header.height === height;
  if (!asDeclared) throw new ProtocolError("invalid_binding", { reason: "screenshot" });
  return { bytes, screenshot: declared.screenshot, capturedAt: declared.captured_at };
}
