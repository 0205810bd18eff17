import type { Bytes } from "./bytes.js";
import { ProtocolError } from "./errors.js";
import { type EcPublicJwk, sha256Text } from "./hash.js";
import { openContext, sealContext } from "./sealed-context.js";

/** Never a request's id: what was sealed as one is not opened as the other. */
const aadOf = (rid: string): string => `${rid}.picture`;

/**
 * Seals a request's picture in a piece of its own, like a context, for the same keys, so that the text need not wait
 * for it. The signed request names its hash, `sealed_picture_sha256`, and the manifest the hash of what is in it.
 * @throws ProtocolError `too_large`, `invalid_request` without a recipient
 */
export function sealPicture(
  rid: string,
  picture: Bytes,
  recipients: readonly EcPublicJwk[],
): Promise<Bytes> {
  return sealContext({ manifestBytes: new Uint8Array(), picture }, recipients, aadOf(rid));
}

/**
 * Opens it, as the piece that the signed request names. That the picture is the manifest's is for the caller to check.
 * @throws ProtocolError `invalid_binding`, `not_found` when it was not sealed for this device, and the encoding codes
 */
export async function openPicture(
  octets: Uint8Array,
  device: { encKid: string; decryptionKey: CryptoKey },
  named: { rid: string; sealedSha256: string },
): Promise<Bytes> {
  if (sha256Text(octets) !== named.sealedSha256) throw new ProtocolError("invalid_binding");
  const { manifestBytes, picture } = await openContext(octets, device, aadOf(named.rid));
  if (manifestBytes.length > 0) throw new ProtocolError("invalid_binding");
  return picture;
}
