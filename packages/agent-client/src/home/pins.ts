import { readdir } from "node:fs/promises";
import { join } from "node:path";
import {
  type ApproverKeys,
  bytes32,
  credential,
  deviceKeys,
  id,
  label,
  numericDate,
  pairingAcceptance,
  type Site,
} from "@countersign/shared";
import * as z from "zod/mini";
import { ClientError } from "../errors.js";
import { openPrivateDirectory, readPrivateJson, removeFile, replaceFile } from "./durable-file.js";

/** One approver as this agent knows it: nothing here was taken on the broker's word but the name. */
const pin = z.strictObject({
  v: z.literal(1),
  approver: id,
  /** How the broker calls the approver. For people to read; it proves nothing. */
  name: label(80),
  issuer: label(2000),
  pairing_id: bytes32,
  paired_at: numericDate,
  /** P with its signatures: why the keys below are trusted. */
  acceptance: pairingAcceptance,
  credentials: z.array(credential).check(z.minLength(1)),
  devices: z.array(deviceKeys).check(z.minLength(1)),
  chain: z.strictObject({ seq: z.int().check(z.nonnegative()), head: bytes32 }),
});
export type Pin = z.infer<typeof pin>;

/**
 * The pinned approvers: one file for each, so that unpairing one process's approver cannot be undone by another
 * process that writes back an older list.
 */
export interface Pins {
  /** Read from disk on every call: an approver unpaired a moment ago counts for nothing. */
  all(): Promise<Pin[]>;
  write(pin: Pin): Promise<void>;
  /** @returns false when there was none */
  remove(approver: string): Promise<boolean>;
}

/** @throws ClientError `home_unsafe` */
export async function openPins(home: string, site: Pick<Site, "issuer">): Promise<Pins> {
  const directory = join(home, "pins");
  await openPrivateDirectory(directory);
  const pathOf = (approver: string) => {
    if (!z.safeParse(id, approver).success) throw new ClientError("not_paired");
    return join(directory, `${approver}.json`);
  };
  return {
    async all() {
      const pins = await readAllPins(directory);
      if (pins.some(({ issuer }) => issuer !== site.issuer)) throw new ClientError("wrong_broker");
      return pins;
    },
    write: (given) => replaceFile(pathOf(given.approver), given),
    remove: (approver) => removeFile(pathOf(approver)),
  };
}

/** @throws ClientError `home_corrupt` */
async function readAllPins(directory: string): Promise<Pin[]> {
  const names = (await readdir(directory)).filter((name) => /^[A-Za-z0-9_-]+\.json$/.test(name));
  return Promise.all(
    names.sort().map(async (name) => {
      const path = join(directory, name);
      const stored = z.safeParse(pin, await readPrivateJson(path));
      if (!stored.success || `${stored.data.approver}.json` !== name) {
        throw new ClientError("home_corrupt", { detail: path });
      }
      return stored.data;
    }),
  );
}

/** The broker that a home directory is paired with, for a command that was not told. */
export async function pairedBroker(home: string): Promise<string | undefined> {
  const directory = join(home, "pins");
  await openPrivateDirectory(directory);
  return (await readAllPins(directory))[0]?.issuer;
}

export const keysOf = ({ approver, credentials, devices }: Pin): ApproverKeys => ({
  approver,
  credentials,
  devices: devices.map(({ sig_jwk }) => sig_jwk),
});
