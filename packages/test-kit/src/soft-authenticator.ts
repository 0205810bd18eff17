import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import {
  type Assertion,
  type Bytes,
  type Credential,
  concat,
  type EcPublicJwk,
  fromBase64url,
  randomBytes,
  sha256Text,
  toBase64url,
  utf8,
} from "@countersign/shared";

/** What a test bends in an answer that is otherwise honest and correctly signed. */
export interface CeremonyOverrides {
  origin?: string;
  crossOrigin?: boolean;
  topOrigin?: string;
  type?: string;
  flags?: { up?: boolean; uv?: boolean; be?: boolean; bs?: boolean };
  rpId?: string;
  counter?: number;
  extraClientData?: Record<string, unknown>;
  tamperSignature?: (der: Bytes) => Bytes;
}

/** RegistrationResponseJSON with the members that a browser always gives (WebAuthn L3, 5.1). */
export interface SoftRegistration {
  id: string;
  rawId: string;
  type: "public-key";
  clientExtensionResults: Record<string, never>;
  response: { clientDataJSON: string; attestationObject: string };
}

export interface SoftAuthenticator {
  credential: Credential;
  register(challenge: Bytes, overrides?: CeremonyOverrides): Promise<SoftRegistration>;
  assert(challenge: Bytes, overrides?: CeremonyOverrides): Promise<Assertion>;
}

interface SoftAuthenticatorOptions {
  rpId: string;
  origin: string;
  be?: boolean;
  uv?: boolean;
}

/**
 * A browser with a platform authenticator that holds one ES256 credential and says yes to every ceremony.
 * @param options `be`: backup-eligible and backed up; `uv`: whether the person is verified
 */
export function createSoftAuthenticator(options: SoftAuthenticatorOptions): SoftAuthenticator {
  const { be = true } = options;
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { x = "", y = "" } = publicKey.export({ format: "jwk" });
  const jwk: EcPublicJwk = { kty: "EC", crv: "P-256", x, y };
  const credentialId = randomBytes(16);
  const credential = { id: toBase64url(credentialId), jwk, be };
  return {
    credential,
    register: async (challenge, overrides = {}) => {
      const attested = concat(
        authenticatorData(options, overrides, true),
        attestedData(credentialId, jwk),
      );
      return {
        id: credential.id,
        rawId: credential.id,
        type: "public-key",
        clientExtensionResults: {},
        response: {
          clientDataJSON: toBase64url(clientData("webauthn.create", challenge, options, overrides)),
          attestationObject: toBase64url(attestationObject(attested)),
        },
      };
    },
    assert: async (challenge, overrides = {}) => {
      const client = clientData("webauthn.get", challenge, options, overrides);
      const data = authenticatorData(options, overrides, false);
      const signature = signAssertion(data, client, privateKey);
      return {
        id: credential.id,
        response: {
          clientDataJSON: toBase64url(client),
          authenticatorData: toBase64url(data),
          signature: toBase64url(overrides.tamperSignature?.(signature) ?? signature),
        },
      };
    },
  };
}

/** Over authData || SHA-256(clientDataJSON), in DER (WebAuthn L3, 6.3.3 and 6.5.5). */
function signAssertion(data: Bytes, client: Bytes, privateKey: KeyObject): Bytes {
  const signed = concat(data, fromBase64url(sha256Text(client)));
  return concat(sign("sha256", signed, { key: privateKey, dsaEncoding: "der" }));
}

function clientData(
  type: string,
  challenge: Bytes,
  { origin }: SoftAuthenticatorOptions,
  overrides: CeremonyOverrides,
): Bytes {
  return utf8(
    JSON.stringify({
      type: overrides.type ?? type,
      challenge: toBase64url(challenge),
      origin: overrides.origin ?? origin,
      crossOrigin: overrides.crossOrigin ?? false,
      ...(overrides.topOrigin === undefined ? {} : { topOrigin: overrides.topOrigin }),
      ...overrides.extraClientData,
    }),
  );
}

/** rpIdHash, flags, counter (WebAuthn L3, 6.1). */
function authenticatorData(
  { rpId, be = true, uv = true }: SoftAuthenticatorOptions,
  overrides: CeremonyOverrides,
  attested: boolean,
): Bytes {
  const set = { up: true, uv, be, bs: be, ...overrides.flags };
  const flags =
    (set.up ? 0x01 : 0) |
    (set.uv ? 0x04 : 0) |
    (set.be ? 0x08 : 0) |
    (set.bs ? 0x10 : 0) |
    (attested ? 0x40 : 0);
  const counter = new Uint8Array(4);
  new DataView(counter.buffer).setUint32(0, overrides.counter ?? 0);
  const rpIdHash = fromBase64url(sha256Text(utf8(overrides.rpId ?? rpId)));
  return concat(rpIdHash, Uint8Array.of(flags), counter);
}

/** AAGUID zero, the id, and the COSE key {1: 2, 3: -7, -1: 1, -2: x, -3: y} (WebAuthn L3, 6.5.1). */
function attestedData(credentialId: Bytes, jwk: EcPublicJwk): Bytes {
  return concat(
    new Uint8Array(16),
    Uint8Array.of(0, credentialId.length),
    credentialId,
    Uint8Array.of(0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20),
    fromBase64url(jwk.x),
    Uint8Array.of(0x22, 0x58, 0x20),
    fromBase64url(jwk.y),
  );
}

/** CBOR {"fmt": "none", "attStmt": {}, "authData": bytes} (WebAuthn L3, 8.7). */
function attestationObject(data: Bytes): Bytes {
  const text = (value: string): Bytes => concat(Uint8Array.of(0x60 + value.length), utf8(value));
  return concat(
    Uint8Array.of(0xa3),
    text("fmt"),
    text("none"),
    text("attStmt"),
    Uint8Array.of(0xa0),
    text("authData"),
    Uint8Array.of(0x58, data.length),
    data,
  );
}
