import {
  type Assertion,
  type Bytes,
  type Credential,
  type Enrolment,
  fromBase64url,
  ProtocolError,
  publicJwk,
  readAuthenticatorData,
  type Site,
  toBase64url,
} from "@countersign/shared";
import { startAuthentication, startRegistration } from "@simplewebauthn/browser";

const timeoutMs = 120_000;
const es256 = -7;

/**
 * Asks the passkey to sign a challenge that this phone computed. Call it straight in a tap's handler,
 * with nothing awaited before.
 * @param credentialIds the passkeys that may answer; none given means whichever the person picks
 * @throws WebAuthnError as the browser gives it, see {@link wasCanceled}
 */
export async function assertWith(
  challenge: Bytes,
  rpId: string,
  credentialIds?: readonly string[],
): Promise<Assertion> {
  const allow = credentialIds?.map((id) => ({ id, type: "public-key" as const }));
  const { id, response } = await startAuthentication({
    optionsJSON: {
      challenge: toBase64url(challenge),
      rpId,
      userVerification: "required",
      timeout: timeoutMs,
      ...(allow ? { allowCredentials: allow } : {}),
    },
  });
  const { clientDataJSON, authenticatorData, signature, userHandle } = response;
  return {
    id,
    response: {
      clientDataJSON,
      authenticatorData,
      signature,
      ...(userHandle === undefined ? {} : { userHandle }),
    },
  };
}

/**
 * Creates a passkey whose user handle is the approver's id. Call it straight in a tap's handler.
 * @throws WebAuthnError, and ProtocolError `registration_invalid` where the browser tells no public key
 */
export async function createPasskey(
  challenge: Bytes,
  site: Site,
  approver: { id: string; name: string },
): Promise<{ registration: Enrolment["registration"]; credential: Credential }> {
  const { id, response } = await startRegistration({
    optionsJSON: {
      challenge: toBase64url(challenge),
      rp: { id: site.rp_id, name: "Countersign" },
      user: { id: approver.id, name: approver.name, displayName: approver.name },
      pubKeyCredParams: [{ type: "public-key", alg: es256 }],
      authenticatorSelection: { residentKey: "required", userVerification: "required" },
      attestation: "none",
      timeout: timeoutMs,
    },
  });
  const { clientDataJSON, attestationObject, publicKey, authenticatorData } = response;
  if (publicKey === undefined || authenticatorData === undefined) {
    throw new ProtocolError("registration_invalid");
  }
  const key = await crypto.subtle.importKey(
    "spki",
    fromBase64url(publicKey),
    { name: "ECDSA", namedCurve: "P-256" },
    true,
    ["verify"],
  );
  return {
    registration: { id, response: { clientDataJSON, attestationObject } },
    credential: { id, jwk: await publicJwk(key), be: readAuthenticatorData(authenticatorData).be },
  };
}

/** The person closed the passkey's dialogue, or it ran out: nothing happened. */
export const wasCanceled = (error: unknown): boolean =>
  error instanceof Error && (error.name === "NotAllowedError" || error.name === "AbortError");
