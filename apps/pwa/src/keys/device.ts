import { type DeviceKeys, publicJwk, thumbprint } from "@countersign/shared";
import { deleteRecord, readRecord, readRecords, writeRecord } from "./database.js";

/** This phone's two keys for one approver. The private halves cannot leave the browser. */
export interface Device {
  approver: string;
  /** `device_kid`: the thumbprint of `publicKeys.sig_jwk`. */
  kid: string;
  encKid: string;
  signingKey: CryptoKey;
  decryptionKey: CryptoKey;
  publicKeys: DeviceKeys;
}

interface StoredDevice {
  approver: string;
  sig: CryptoKeyPair;
  enc: CryptoKeyPair;
}

const extractable = false;
const curve = "P-256";

/** Makes this phone's keys for an approver and keeps them before anybody learns of them. */
export async function createDevice(approver: string): Promise<Device> {
  const ecdsa = { name: "ECDSA", namedCurve: curve };
  const ecdh = { name: "ECDH", namedCurve: curve };
  const stored: StoredDevice = {
    approver,
    sig: await crypto.subtle.generateKey(ecdsa, extractable, ["sign", "verify"]),
    enc: await crypto.subtle.generateKey(ecdh, extractable, ["deriveBits"]),
  };
  await writeRecord("devices", stored);
  // A browser short of space may drop a site's storage, and these keys with it, unless asked not to.
  await navigator.storage?.persist?.();
  return deviceOf(stored);
}

/** @returns null where this phone was never enrolled for the approver: it can look, but not decide */
export async function loadDevice(approver: string): Promise<Device | null> {
  const stored = await readRecord<StoredDevice>("devices", approver);
  return stored ? deviceOf(stored) : null;
}

/** The device whose passkey was just used, by its user handle; where that is not an approver's id, the only one here. */
export async function deviceOfHandle(userHandle: string | undefined): Promise<Device | null> {
  const stored = await readRecords<StoredDevice>("devices");
  const named = stored.find(({ approver }) => approver === userHandle);
  const known = stored.filter(({ approver }) => approver !== unlinked);
  const found = named ?? (known.length === 1 ? known[0] : undefined);
  return found ? deviceOf(found) : null;
}

/** In place of an approver's id, for keys that no account has yet. */
export const unlinked = "unlinked";

/** Gives the keys that were made for a link to the approver who took them in. */
export async function adoptDevice(approver: string): Promise<void> {
  const stored = await readRecord<StoredDevice>("devices", unlinked);
  if (!stored) return;
  await writeRecord("devices", { ...stored, approver });
  await deleteRecord("devices", unlinked);
}

async function deviceOf({ approver, sig, enc }: StoredDevice): Promise<Device> {
  const publicKeys = {
    sig_jwk: await publicJwk(sig.publicKey),
    enc_jwk: await publicJwk(enc.publicKey),
  };
  return {
    approver,
    kid: thumbprint(publicKeys.sig_jwk),
    encKid: thumbprint(publicKeys.enc_jwk),
    signingKey: sig.privateKey,
    decryptionKey: enc.privateKey,
    publicKeys,
  };
}
