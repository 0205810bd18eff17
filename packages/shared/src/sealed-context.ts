import { GeneralEncrypt, type GeneralJWE, generalDecrypt, importJWK } from "jose";
import * as z from "zod/mini";
import { type Bytes, concat, fromBase64url, toBase64url, utf8 } from "./bytes.js";
import { ProtocolError } from "./errors.js";
import { type EcPublicJwk, thumbprint } from "./hash.js";
import { parseStrict } from "./json.js";
import { base64url, bytes32, ecPublicJwk, parse } from "./schema.js";

/** Manifest and picture together, before sealing (protocol section 3, object 3). */
export const maxPlaintextBytes = 2 * 1024 * 1024;
/** What 2 MiB become as JSON with base64url, and room for 64 recipients. */
export const maxSealedBytes = 2_900_000;

const algorithm = "ECDH-ES+A256KW";
const encryption = "A256GCM";

const sealedContext = z.strictObject({
  protected: base64url,
  aad: base64url,
  iv: base64url,
  ciphertext: base64url,
  tag: base64url,
  recipients: z
    .array(
      z.strictObject({
        encrypted_key: base64url,
        header: z.strictObject({
          alg: z.literal(algorithm),
          kid: bytes32,
          epk: z.optional(ecPublicJwk),
        }),
      }),
    )
    .check(z.minLength(1), z.maxLength(64)),
});

/** With a single recipient jose writes `epk` here instead of into the recipient's header. */
const protectedHeader = z.strictObject({
  enc: z.literal(encryption),
  epk: z.optional(ecPublicJwk),
});

export interface Context {
  manifestBytes: Bytes;
  /** Empty where there is no picture. */
  picture: Bytes;
}

/**
 * Seals manifest and picture for the pinned `device_enc` keys and nobody else.
 * @param aad the request's id (or `<rid>.outcome` for an after-picture)
 * @returns the octets to upload: a General JWE in JSON
 * @throws ProtocolError `too_large`, `invalid_request` without a recipient
 * @see RFC 7516 section 7.2.1
 */
export async function sealContext(
  context: Context,
  recipients: readonly EcPublicJwk[],
  aad: string,
): Promise<Bytes> {
  if (recipients.length === 0) throw new ProtocolError("invalid_request");
  const plaintext = frame(context);
  if (plaintext.length > maxPlaintextBytes) throw new ProtocolError("too_large");
  const encrypt = new GeneralEncrypt(plaintext)
    .setProtectedHeader({ enc: encryption })
    .setAdditionalAuthenticatedData(utf8(aad));
  for (const jwk of recipients) {
    encrypt
      .addRecipient(await importJWK({ ...jwk }, algorithm))
      .setUnprotectedHeader({ alg: algorithm, kid: thumbprint(jwk) });
  }
  return utf8(JSON.stringify(await encrypt.encrypt()));
}

/**
 * Opens what was sealed for this device.
 * @throws ProtocolError `not_found` when it was not sealed for this device (`deviceEncKid`),
 *   `invalid_binding` when it belongs to another request or does not decrypt, `unsupported_algorithm`,
 *   and what the strict parser refuses
 */
export async function openContext(
  octets: Uint8Array,
  device: { encKid: string; decryptionKey: CryptoKey },
  aad: string,
): Promise<Context> {
  if (octets.length > maxSealedBytes) throw new ProtocolError("too_large");
  const jwe = parse(sealedContext, parseStrict(octets));
  if (jwe.aad !== toBase64url(utf8(aad))) throw new ProtocolError("invalid_binding");
  parse(protectedHeader, parseStrict(fromBase64url(jwe.protected)));
  const recipient = jwe.recipients.find(({ header }) => header.kid === device.encKid);
  if (!recipient) throw new ProtocolError("not_found");
  const single: GeneralJWE = { ...jwe, recipients: [recipient] };
  let plaintext: Uint8Array;
  try {
    ({ plaintext } = await generalDecrypt(single, device.decryptionKey, {
      keyManagementAlgorithms: [algorithm],
      contentEncryptionAlgorithms: [encryption],
    }));
  } catch (cause) {
    throw new ProtocolError("invalid_binding", { cause });
  }
  return unframe(plaintext);
}

/** Plaintext = 4-byte big-endian length, manifest, image bytes. */
function frame({ manifestBytes, picture }: Context): Bytes {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, manifestBytes.length);
  return concat(length, manifestBytes, picture);
}

function unframe(plaintext: Uint8Array): Context {
  if (plaintext.length < 4) throw new ProtocolError("invalid_binding");
  const length = new DataView(plaintext.buffer, plaintext.byteOffset).getUint32(0);
  if (length > plaintext.length - 4) throw new ProtocolError("invalid_binding");
  return {
    manifestBytes: concat(plaintext.subarray(4, 4 + length)),
    picture: concat(plaintext.subarray(4 + length)),
  };
}
