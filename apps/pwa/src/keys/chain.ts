import {
  type ChainHead,
  type ChainLink,
  chainChallenge,
  chainHead,
  type KeyChange,
  keyPurpose,
  keyStatementBytes,
  ProtocolError,
  signWithDevice,
  thumbprint,
  toBase64url,
  type VerifiedChain,
  verifyChain,
} from "@countersign/shared";
import { getKeys } from "../api/key-endpoints.js";
import type { SignedIn } from "../session.js";
import { readRecord, writeRecord } from "./database.js";
import type { Device } from "./device.js";
import { assertWith } from "./passkey.js";

/** How far this phone knows an approver's chain: what it is shown later has to go through this place. */
interface KnownChain extends ChainHead {
  approver: string;
}

export const rememberChain = (approver: string, { seq, head }: ChainHead): Promise<void> =>
  writeRecord("chains", { approver, seq, head });

/**
 * The approver's chain, verified from its root: through the place that this phone knows, or else through a root
 * that this phone signed itself. The server's word alone is no chain.
 * @throws ProtocolError `chain_invalid`, `chain_fork`, `chain_rolled_back`; CallError
 * @see protocol section 5
 */
export async function loadChain({
  site,
  approver,
  device,
}: Pick<SignedIn, "site" | "approver" | "device">): Promise<VerifiedChain> {
  const known = await readRecord<KnownChain>("chains", approver);
  const { chain: links } = await getKeys();
  const seen = known ? [{ seq: known.seq, head: known.head }] : [];
  const chain = await verifyChain(links, { site, approver, seen });
  const ownRoot = chain.root.devices.some(({ sig_jwk }) => thumbprint(sig_jwk) === device?.kid);
  if (!known && !ownRoot) throw new ProtocolError("chain_invalid");
  await rememberChain(approver, chain);
  return chain;
}

/**
 * Signs the next link by passkey and device. Call it straight in a tap's handler, with a chain at hand.
 * @throws WebAuthnError when the person cancels
 */
export async function signKeyChange(
  own: { site: SignedIn["site"]; device: Device },
  chain: VerifiedChain,
  change: KeyChange,
  brokerNonce: string,
): Promise<{ link: ChainLink; at: ChainHead }> {
  const { site, device } = own;
  const { approver } = chain;
  const purpose = keyPurpose(change);
  const bytes = keyStatementBytes({ site, approver, after: chain, change, brokerNonce });
  const credentialIds = chain.live.credentials.map(({ id }) => id);
  const assertion = await assertWith(chainChallenge(bytes, purpose), site.rp_id, credentialIds);
  const link = {
    statement: toBase64url(bytes),
    assertion,
    device_signature: await signWithDevice(purpose, bytes, device.signingKey),
  };
  return { link, at: { seq: chain.seq + 1, head: chainHead(bytes, purpose) } };
}
