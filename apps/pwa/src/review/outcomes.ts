import {
  type AuthorizationRequest,
  type EcPublicJwk,
  type Outcome,
  ProtocolError,
  verifyOutcome,
} from "@countersign/shared";

/** An outcome as this phone can vouch for it; null where it could not verify one. */
export type ShownOutcome = Outcome | null;

/**
 * Verifies what the agent reported, under the key that this phone paired with, and that it is about this
 * very request and in its place in the sequence.
 */
export async function verifyOutcomes(
  reported: readonly string[],
  request: AuthorizationRequest,
  agentJwk: EcPublicJwk,
): Promise<ShownOutcome[]> {
  return Promise.all(
    reported.map(async (jws, index) => {
      try {
        const outcome = await verifyOutcome(jws, agentJwk);
        const bound =
          outcome.rid === request.rid &&
          outcome.ar_hash === request.arHash &&
          outcome.ctx === request.detail.ctx &&
          outcome.n === index + 1;
        return bound ? outcome : null;
      } catch (error) {
        if (error instanceof ProtocolError) return null;
        throw error;
      }
    }),
  );
}
