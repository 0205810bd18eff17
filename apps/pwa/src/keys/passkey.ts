import { type Assertion, type Bytes, toBase64url } from "@countersign/shared";
import { startAuthentication } from "@simplewebauthn/browser";

/** How long the passkey's dialogue stays open. */
export const timeoutMs = 120_000;

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

/** The person closed the passkey's dialogue, or it ran out: nothing happened. */
export const wasCanceled = (error: unknown): boolean =>
  error instanceof Error && (error.name === "NotAllowedError" || error.name === "AbortError");
