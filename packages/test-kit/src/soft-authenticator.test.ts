import { randomBytes, toBase64url, verifyAssertion } from "@countersign/shared";
import { verifyAuthenticationResponse, verifyRegistrationResponse } from "@simplewebauthn/server";
import { expect, test } from "vitest";
import { createSoftAuthenticator } from "./soft-authenticator.js";

const rpId = "localhost";
const origin = "http://localhost:8080";

test("a library that we did not write takes its registration and its assertion, and so do we", async () => {
  const authenticator = createSoftAuthenticator({ rpId, origin });
  const challenge = randomBytes(32);
  const registered = await verifyRegistrationResponse({
    response: await authenticator.register(challenge),
    expectedChallenge: toBase64url(challenge),
    expectedOrigin: origin,
    expectedRPID: rpId,
    requireUserVerification: true,
    supportedAlgorithmIDs: [-7],
  });
  if (!registered.verified) throw new Error("the registration was refused");
  const { credential, credentialBackedUp, credentialDeviceType, aaguid } =
    registered.registrationInfo;
  expect({ credentialBackedUp, credentialDeviceType, aaguid }).toEqual({
    credentialBackedUp: true,
    credentialDeviceType: "multiDevice",
    aaguid: "00000000-0000-0000-0000-000000000000",
  });
  expect(credential.id).toBe(authenticator.credential.id);

  const assertion = await authenticator.assert(challenge);
  const { clientDataJSON, authenticatorData, signature } = assertion.response;
  const authenticated = await verifyAuthenticationResponse({
    response: {
      id: assertion.id,
      rawId: assertion.id,
      type: "public-key",
      clientExtensionResults: {},
      response: { clientDataJSON, authenticatorData, signature },
    },
    expectedChallenge: toBase64url(challenge),
    expectedOrigin: origin,
    expectedRPID: rpId,
    credential,
    requireUserVerification: true,
  });
  expect(authenticated.verified).toBe(true);
  await verifyAssertion(assertion, {
    challenge: toBase64url(challenge),
    origin,
    rpId,
    credential: authenticator.credential,
  });
});
