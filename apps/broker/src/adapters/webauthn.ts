import {
  type AssertionRefusal,
  type Credential,
  concat,
  fromBase64url,
  type Json,
  ProtocolError,
  parse,
  parseStrict,
  registration as registrationSchema,
  toBase64url,
  verifyAssertion,
} from "@countersign/shared";
import { verifyAuthenticationResponse, verifyRegistrationResponse } from "@simplewebauthn/server";
import { decodeCredentialPublicKey } from "@simplewebauthn/server/helpers";
import type { WebAuthn } from "../domain/ports.js";

const es256 = -7;

/**
 * The only place that calls SimpleWebAuthn. Assertions are verified as agent and phone do; the library judges
 * registrations, and assertions that hold more than the 37 bytes which it would have to parse besides. A test holds
 * both to one verdict.
 */
export const webauthn: WebAuthn = {
  async verifyRegistration(given, expected) {
    const { id, response } = parse(registrationSchema, given);
    try {
      refuseCrossOrigin(response.clientDataJSON);
      const result = await verifyRegistrationResponse({
        response: { id, rawId: id, type: "public-key", response, clientExtensionResults: {} },
        expectedChallenge: expected.challenge,
        expectedOrigin: expected.site.origin,
        expectedRPID: expected.site.rp_id,
        requireUserVerification: true,
        supportedAlgorithmIDs: [es256],
      });
      const info = result.registrationInfo;
      if (!result.verified || !info || info.credential.id !== id) {
        throw new ProtocolError("registration_invalid");
      }
      return {
        id,
        jwk: toJwk(info.credential.publicKey),
        be: info.credentialDeviceType === "multiDevice",
        counter: info.credential.counter,
      };
    } catch (cause) {
      throw new ProtocolError("registration_invalid", { cause });
    }
  },

  async verifyAssertion(given, expected) {
    await verifyAssertion(given, expected);
    const { clientDataJSON, authenticatorData, signature } = given.response;
    if (isPlain(fromBase64url(authenticatorData))) return;
    let verified: boolean;
    try {
      ({ verified } = await verifyAuthenticationResponse({
        response: {
          id: given.id,
          rawId: given.id,
          type: "public-key",
          // The user handle is not part of what is verified.
          response: { clientDataJSON, authenticatorData, signature },
          clientExtensionResults: {},
        },
        expectedChallenge: expected.challenge,
        expectedOrigin: expected.origin,
        expectedRPID: expected.rpId,
        requireUserVerification: true,
        // A counter is a signal, no proof: 0 after 5 would lock out whoever moved to another provider.
        credential: { id: given.id, publicKey: toCose(expected.credential), counter: 0 },
      }));
    } catch (cause) {
      // What only the library refuses is how the authenticator's data is put together.
      throw refused("authenticator_data", cause);
    }
    if (!verified) throw refused("signature");
  },
};

/** rpIdHash, flags and counter, and nothing after them (WebAuthn L3, 6.1): no attested data, no extensions. */
const isPlain = (authenticatorData: Uint8Array): boolean =>
  authenticatorData.length === 37 && ((authenticatorData[32] as number) & 0xc0) === 0;

function refused(reason: AssertionRefusal, cause?: unknown): ProtocolError {
  return new ProtocolError("assertion_invalid", { reason, cause });
}

/** SimpleWebAuthn accepts `crossOrigin: true` as long as there is no `topOrigin`. */
function refuseCrossOrigin(clientDataJson: string): void {
  const clientData = parseStrict(fromBase64url(clientDataJson));
  if (clientData === null || typeof clientData !== "object") throw refused("client_data");
  const { crossOrigin, topOrigin } = clientData as { crossOrigin?: Json; topOrigin?: Json };
  if (crossOrigin !== undefined && crossOrigin !== false) throw refused("cross_origin");
  if (topOrigin !== undefined) throw refused("cross_origin");
}

/** COSE_Key of an ES256 key: {1: 2, 3: -7, -1: 1, -2: x, -3: y} in deterministic CBOR (RFC 9053 7.1.1). */
function toCose({ jwk }: Credential): Uint8Array<ArrayBuffer> {
  const head = Uint8Array.of(0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20);
  const between = Uint8Array.of(0x22, 0x58, 0x20);
  return concat(head, fromBase64url(jwk.x), between, fromBase64url(jwk.y));
}

function toJwk(cose: Uint8Array<ArrayBuffer>): Credential["jwk"] {
  const key = decodeCredentialPublicKey(cose) as Map<number, unknown>;
  // kty EC2, alg ES256, crv P-256: the library looks at the algorithm only.
  const isP256 = key.get(1) === 2 && key.get(3) === es256 && key.get(-1) === 1;
  if (!isP256) throw new ProtocolError("registration_invalid");
  const coordinate = (label: number): string => {
    const value = key.get(label);
    if (!(value instanceof Uint8Array) || value.length !== 32) {
      throw new ProtocolError("registration_invalid");
    }
    return toBase64url(value);
  };
  return { kty: "EC", crv: "P-256", x: coordinate(-2), y: coordinate(-3) };
}
