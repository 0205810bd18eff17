import {
  type Bytes,
  type Credential,
  type Me,
  type PairingAcceptance,
  type PairingOffer,
  ProtocolError,
  pairingChallenge,
  pairingMac,
  pairingStatementBytes,
  randomNonce,
  type Site,
  signWithDevice,
  toBase64url,
  verifyAssertion,
} from "@countersign/shared";
import type { Device } from "../keys/device.js";
import { assertWith } from "../keys/passkey.js";

/** Everything that goes into P, at hand before the tap. */
export interface AcceptanceParts {
  site: Site;
  logKey: string;
  device: Device;
  me: Me;
  offer: PairingOffer;
  secret: Bytes;
  nonce: string;
}

/**
 * Signs the pairing. Call it straight in a tap's handler. P names the credential that signs it, so where
 * there are several the person's choice is not known beforehand: the first one that is not revoked is asked.
 * @throws WebAuthnError when the person cancels; ProtocolError `credential_unknown`, `assertion_invalid`
 * @see protocol section 6, step 3
 */
export async function acceptOffer(
  parts: AcceptanceParts,
): Promise<{ statement: Bytes; acceptance: PairingAcceptance }> {
  const { site, logKey, device, me, offer, secret, nonce } = parts;
  const credential = usableCredential(me);
  const statement = pairingStatementBytes({
    site,
    offer,
    logKey,
    approver: device.approver,
    credential,
    device: device.publicKeys,
    chain: me.chain,
    brokerNonce: nonce,
    phoneNonce: randomNonce(),
  });
  const challenge = pairingChallenge(statement);
  const assertion = await assertWith(challenge, site.rp_id, [credential.id]);
  // The server told us this credential's key: that it verifies is the proof that the server told the truth.
  await verifyAssertion(assertion, {
    challenge: toBase64url(challenge),
    origin: site.origin,
    rpId: site.rp_id,
    credential,
  });
  const acceptance = {
    statement: toBase64url(statement),
    assertion,
    device_signature: await signWithDevice("pair", statement, device.signingKey),
    mac: pairingMac(secret, statement),
  };
  return { statement, acceptance };
}

function usableCredential({ credentials }: Me): Credential {
  const usable = credentials.find(({ revoked_at }) => revoked_at === undefined);
  if (!usable) throw new ProtocolError("credential_unknown");
  return { id: usable.id, jwk: usable.jwk, be: usable.be };
}
