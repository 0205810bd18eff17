import { type Site, signWithDevice, siteChallenge, siteStatementBytes } from "@countersign/shared";
import { CallError } from "../api/call.js";
import { signIn } from "../api/endpoints.js";
import { deviceOfHandle } from "./device.js";
import { assertWith } from "./passkey.js";

/**
 * Signs in by whichever passkey the person picks; this phone's device proves itself with it, so that the session
 * ends when the device is removed. Call it straight in a tap's handler.
 * @throws WebAuthnError when the person cancels; CallError
 */
export async function signInWith(site: Site, brokerNonce: string): Promise<void> {
  const assertion = await assertWith(siteChallenge("login", site, brokerNonce), site.rp_id);
  const device = await deviceOfHandle(assertion.response.userHandle);
  const body = { broker_nonce: brokerNonce, assertion };
  if (!device) return signIn(body);
  const signed = siteStatementBytes(site, brokerNonce);
  const proof = {
    device_kid: device.kid,
    device_signature: await signWithDevice("login", signed, device.signingKey),
  };
  try {
    await signIn({ ...body, device: proof });
  } catch (error) {
    // Removed meanwhile, or another account's: the person is let in to look. The nonce is not used up.
    if (!(error instanceof CallError && error.code === "device_unknown")) throw error;
    await signIn(body);
  }
}
