import {
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
import { startRegistration } from "@simplewebauthn/browser";
import { timeoutMs } from "./passkey.js";

const es256 = -7;

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
