import {
  type AfterPicture,
  type Bytes,
  type Context,
  type DeviceKeys,
  openAfterPicture,
  openContext,
  openPicture,
  type Purpose,
  publicJwk,
  signWithDevice,
  thumbprint,
} from "@countersign/shared";

export interface SoftDevice {
  keys: DeviceKeys;
  /** Thumbprint of `sig_jwk`. */
  kid: string;
  sign(purpose: Purpose, bytes: Bytes): Promise<string>;
  /** @param aad the request's id, or `<rid>.outcome` */
  open(octets: Uint8Array, aad: string): Promise<Context>;
  openPicture(octets: Uint8Array, named: { rid: string; sealedSha256: string }): Promise<Bytes>;
  openAfterPicture(
    octets: Uint8Array,
    named: { rid: string; sealedSha256: string },
  ): Promise<AfterPicture>;
}

/** One installation of the app: two key pairs that never leave it. */
export async function createSoftDevice(): Promise<SoftDevice> {
  const [signing, sealing] = await Promise.all([
    crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, ["sign", "verify"]),
    crypto.subtle.generateKey({ name: "ECDH", namedCurve: "P-256" }, false, ["deriveBits"]),
  ]);
  const keys = {
    sig_jwk: await publicJwk(signing.publicKey),
    enc_jwk: await publicJwk(sealing.publicKey),
  };
  const openingKey = { encKid: thumbprint(keys.enc_jwk), decryptionKey: sealing.privateKey };
  return {
    keys,
    kid: thumbprint(keys.sig_jwk),
    sign: (purpose, bytes) => signWithDevice(purpose, bytes, signing.privateKey),
    open: (octets, aad) => openContext(octets, openingKey, aad),
    openPicture: (octets, named) => openPicture(octets, openingKey, named),
    openAfterPicture: (octets, named) => openAfterPicture(octets, openingKey, named),
  };
}
