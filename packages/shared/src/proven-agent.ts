import { fromBase64url } from "./bytes.js";
import type { VerifiedChain } from "./chain-verify.js";
import { ProtocolError } from "./errors.js";
import { type EcPublicJwk, thumbprint } from "./hash.js";
import {
  type PairingAcceptance,
  type PairingStatement,
  parsePairingStatement,
  verifyPairingSignatures,
} from "./pairing.js";
import type { Site } from "./site.js";

/**
 * Verifies an agent's key for a device that was not there when it was paired: by a P whose credential and device
 * are live in the chain that this device verified, and that names this very key. Whoever was revoked since vouches
 * for nobody new; a device keeps the agents that it accepted before.
 * @throws ProtocolError `invalid_binding`, `chain_fork`, `assertion_invalid`, `device_signature_invalid`, and the
 *   encoding codes
 * @see protocol section 6, "Another device of the same approver"
 */
export async function verifyProvenAgent(
  given: { agentJwk: EcPublicJwk; acceptance: Omit<PairingAcceptance, "mac"> },
  expected: { site: Site; chain: VerifiedChain },
): Promise<PairingStatement> {
  const { site, chain } = expected;
  const bytes = fromBase64url(given.acceptance.statement);
  const statement = parsePairingStatement(bytes);
  const { credential, device } = statement;
  const bound =
    statement.issuer === site.issuer &&
    statement.rp_id === site.rp_id &&
    statement.origin === site.origin &&
    statement.approver === chain.approver &&
    statement.agent_jkt === thumbprint(given.agentJwk) &&
    chain.live.credentials.some(
      ({ id, jwk, be }) =>
        id === credential.id &&
        be === credential.be &&
        thumbprint(jwk) === thumbprint(credential.jwk),
    ) &&
    chain.live.devices.some(
      ({ sig_jwk, enc_jwk }) =>
        thumbprint(sig_jwk) === thumbprint(device.sig_jwk) &&
        thumbprint(enc_jwk) === thumbprint(device.enc_jwk),
    );
  if (!bound) throw new ProtocolError("invalid_binding");
  if (chain.heads[statement.chain.seq] !== statement.chain.head) {
    throw new ProtocolError("chain_fork");
  }
  await verifyPairingSignatures(statement, bytes, given.acceptance);
  return statement;
}
