import {
  freezeBytes,
  freezeChallenge,
  parseFreeze,
  type SignedFreeze,
  type Site,
  signWithDevice,
  toBase64url,
} from "@countersign/shared";
import { listAgents } from "../api/endpoints.js";
import { putFreeze } from "../api/key-endpoints.js";
import type { Device } from "./device.js";
import { assertWith } from "./passkey.js";

interface Signer {
  site: Site;
  device: Device;
}

const bytesOf = ({ site, device }: Signer, agentJkt: string, seq: number, brokerNonce?: string) =>
  freezeBytes({
    issuer: site.issuer,
    approver: device.approver,
    agentJkt,
    seq,
    deviceKid: device.kid,
    brokerNonce,
  });

/**
 * Stops an agent, by the device alone: it denies everything that the agent has open.
 * @throws CallError
 * @see protocol section 3, object 9
 */
export async function freeze(agentJkt: string, own: Signer): Promise<void> {
  const { agents } = await listAgents();
  const latest = agents.find(({ client_id }) => client_id === agentJkt)?.freeze;
  const before = latest && parseFreeze(latest);
  if (before?.op === "freeze") return;
  const bytes = bytesOf(own, agentJkt, (before?.seq ?? 0) + 1);
  await putFreeze(agentJkt, {
    statement: toBase64url(bytes),
    device_signature: await signWithDevice("freeze", bytes, own.device.signingKey),
  });
}

/**
 * Lifts a freeze, by passkey and device. Call it straight in a tap's handler.
 * @param held the freeze to lift
 * @throws WebAuthnError when the person cancels; CallError
 */
export async function liftFreeze(held: SignedFreeze, nonce: string, own: Signer): Promise<void> {
  const { agent_jkt: agentJkt, seq } = parseFreeze(held);
  const bytes = bytesOf(own, agentJkt, seq + 1, nonce);
  const assertion = await assertWith(freezeChallenge(bytes), own.site.rp_id);
  await putFreeze(agentJkt, {
    statement: toBase64url(bytes),
    device_signature: await signWithDevice("freeze", bytes, own.device.signingKey),
    assertion,
  });
}

/** Whether this F stops its agent. */
export const isFrozen = (latest: SignedFreeze | undefined): boolean =>
  latest !== undefined && parseFreeze(latest).op === "freeze";
