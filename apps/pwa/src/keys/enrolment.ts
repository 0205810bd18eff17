import {
  type Bytes,
  type Credential,
  chainChallenge,
  chainRootBytes,
  type Enrolment,
  randomId,
  type Site,
  signWithDevice,
  siteChallenge,
  toBase64url,
} from "@countersign/shared";
import { createPasskey } from "./create-passkey.js";
import { createDevice, type Device } from "./device.js";
import { assertWith } from "./passkey.js";

/** A passkey that was made and a device whose keys are kept, before the server knows of either. */
export interface NewApprover {
  approver: string;
  name: string;
  registerNonce: string;
  registration: Enrolment["registration"];
  credential: Credential;
  device: Device;
}

/**
 * First tap: makes the passkey, then the device's keys.
 * @param holder a new approver by name, or one whose account is given back
 */
export async function createApprover(
  site: Site,
  holder: { id?: string; name: string },
  registerNonce: string,
): Promise<NewApprover> {
  const { id: approver = randomId(), name } = holder;
  const challenge = siteChallenge("register", site, registerNonce);
  const { registration, credential } = await createPasskey(challenge, site, { id: approver, name });
  const device = await createDevice(approver);
  return { approver, name, registerNonce, registration, credential, device };
}

/**
 * Second tap: the passkey and the device sign K0, the root of this approver's key chain.
 * @see protocol section 5
 */
export async function confirmApprover(
  site: Site,
  created: NewApprover,
  credentialNonce: string,
): Promise<Enrolment> {
  const { approver, credential, device } = created;
  const root: Bytes = chainRootBytes({
    site,
    approver,
    subject: { credential, device: device.publicKeys },
    brokerNonce: credentialNonce,
  });
  const assertion = await assertWith(chainChallenge(root), site.rp_id, [credential.id]);
  return {
    name: created.name,
    register_nonce: created.registerNonce,
    registration: created.registration,
    root: {
      statement: toBase64url(root),
      assertion,
      device_signature: await signWithDevice("credential", root, device.signingKey),
    },
  };
}
