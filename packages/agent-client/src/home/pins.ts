import { readdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import {
  type ApproverKeys,
  bytes32,
  chainPosition,
  credential,
  deviceKeys,
  fromBase64url,
  id,
  label,
  numericDate,
  type PairingAcceptance,
  ProtocolError,
  pairingAcceptance,
  parseFreeze,
  parsePairingStatement,
  type Site,
  signedFreeze,
} from "@countersign/shared";
import * as z from "zod/mini";
import { ClientError } from "../errors.js";
import {
  createExclusive,
  isErrno,
  openPrivateDirectory,
  readPrivateJson,
  removeFile,
  replaceFile,
} from "./durable-file.js";

/** One approver as this agent knows it: nothing here was taken on the broker's word but the name. */
const pin = z.strictObject({
  v: z.literal(1),
  approver: id,
  /** How the broker called the approver when this was written; {@link named} has what it said since. */
  name: label(80),
  issuer: label(2000),
  pairing_id: bytes32,
  paired_at: numericDate,
  /** P with its signatures: why the keys below are trusted. */
  acceptance: pairingAcceptance,
  credentials: z.array(credential),
  devices: z.array(deviceKeys),
  /** The highest place in the approver's chain that was seen, and the latest verified freeze. */
  chain: chainPosition,
  freeze: z.optional(signedFreeze),
});
export type Pin = z.infer<typeof pin>;

/** What was learned since P, for the pairing that it belongs to. */
const advance = z.pick(pin, {
  v: true,
  pairing_id: true,
  credentials: true,
  devices: true,
  chain: true,
  freeze: true,
});

/** How the broker calls an approver of one pairing. For people to read: alone it grants nothing. */
const named = z.strictObject({ v: z.literal(1), pairing_id: bytes32, name: label(80) });

/**
 * The pinned approvers: one file for each, so that unpairing one process's approver cannot be undone by another
 * process that writes back an older list.
 */
export interface Pins {
  /** Read from disk on every call: an approver unpaired a moment ago counts for nothing. */
  all(): Promise<Pin[]>;
  write(pin: Pin): Promise<void>;
  /** Keeps a name beside the pin, so that it never brings back an approver who was unpaired meanwhile. */
  name(approver: string, pairingId: string, name: string): Promise<void>;
  /**
   * Takes this pairing's pin back and puts `before` in its place; changes nothing where it was unpaired, or paired
   * anew, meanwhile.
   */
  withdraw(pin: Pin, before: Pin | undefined): Promise<void>;
  /**
   * Keeps what a verified chain and freeze add to a pin. It never goes back, whichever process is last, and never
   * brings back an approver who was unpaired meanwhile.
   */
  advance(pin: Pin): Promise<void>;
  /** @returns false when there was none */
  remove(approver: string): Promise<boolean>;
}

/** @throws ClientError `home_unsafe` */
export async function openPins(home: string, site: Pick<Site, "issuer">): Promise<Pins> {
  const directory = join(home, "pins");
  const chains = join(home, "chains");
  await openPrivateDirectory(directory);
  await openPrivateDirectory(chains);
  const names = join(home, "names");
  await openPrivateDirectory(names);
  const pathOf = (approver: string) => {
    if (!z.safeParse(id, approver).success) throw new ClientError("not_paired");
    return join(directory, `${approver}.json`);
  };
  return {
    async all() {
      const pins = await readAllPins(directory);
      if (pins.some(({ issuer }) => issuer !== site.issuer)) throw new ClientError("wrong_broker");
      return Promise.all(
        pins.map(async (given) => ({
          ...(await advanced(chains, given)),
          name: (await readName(names, given)) ?? given.name,
        })),
      );
    },
    write: (given) => replaceFile(pathOf(given.approver), given),
    name: (approver, pairing_id, name) =>
      replaceFile(join(names, basename(pathOf(approver))), { v: 1, pairing_id, name }),
    async withdraw({ approver, pairing_id }, before) {
      const path = pathOf(approver);
      const current = z.safeParse(pin, await readPrivateJson(path)).data;
      // Whoever removes it decides: when `unpair` was first there is nothing left to put something in the place of.
      if (current?.pairing_id !== pairing_id || !(await removeFile(path))) return;
      if (before) await createExclusive(path, before);
    },
    async advance({ v, approver, pairing_id, credentials, devices, chain, freeze }) {
      const content = { v, pairing_id, credentials, devices, chain, ...(freeze ? { freeze } : {}) };
      const name = `${pairing_id}.${chain.seq}.${seqOf(freeze)}.json`;
      await openPrivateDirectory(join(chains, approver));
      await replaceFile(join(chains, approver, name), content);
    },
    async remove(approver) {
      const removed = await removeFile(pathOf(approver));
      await rm(join(chains, approver), { recursive: true, force: true });
      await rm(join(names, basename(pathOf(approver))), { force: true });
      return removed;
    },
  };
}

async function readName(directory: string, of: Pin): Promise<string | undefined> {
  const stored = await readPrivateJson(join(directory, `${of.approver}.json`));
  const parsed = z.safeParse(named, stored).data;
  return parsed?.pairing_id === of.pairing_id ? parsed.name : undefined;
}

const seqOf = (freeze: Pin["freeze"]): number => (freeze ? parseFreeze(freeze).seq : 0);

/**
 * Each advance is a file of its own, named by what it says: two processes that learned different things write
 * different files, and the highest of each counts.
 */
async function advanced(chains: string, paired: Pin): Promise<Pin> {
  const directory = join(chains, paired.approver);
  const names = await readdir(directory).catch((error: unknown): string[] => {
    if (isErrno(error, "ENOENT")) return [];
    throw error;
  });
  let latest = paired;
  for (const name of names) {
    if (!name.startsWith(`${paired.pairing_id}.`)) continue;
    const path = join(directory, name);
    const stored = await readPrivateJson(path);
    // Another process may have unpaired in this moment.
    if (stored === undefined) continue;
    const parsed = z.safeParse(advance, stored);
    if (!parsed.success || parsed.data.pairing_id !== paired.pairing_id) {
      throw new ClientError("home_corrupt", { detail: path });
    }
    const { credentials, devices, chain, freeze } = parsed.data;
    // At the same place the keys are the same; those of P alone are fewer than what its chain adds to them.
    if (chain.seq >= latest.chain.seq) latest = { ...latest, credentials, devices, chain };
    if (seqOf(freeze) > seqOf(latest.freeze)) latest = { ...latest, ...(freeze ? { freeze } : {}) };
  }
  return latest;
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

/**
 * The log's key, as the approvers signed it at pairing: one broker has one log.
 * @throws ProtocolError `log_invalid` where they do not agree
 */
export function logKeyOf(pins: readonly Pin[]): string {
  const keys = new Set(pins.map(({ acceptance }) => logKeyIn(acceptance)));
  const [key] = keys;
  if (key === undefined || keys.size > 1) throw new ProtocolError("log_invalid");
  return key;
}

/** By the very octets of P: every piece of evidence asks for them anew. */
const knownLogKeys = new Map<string, string>();
const maxKnown = 64;

function logKeyIn({ statement }: PairingAcceptance): string {
  const known = knownLogKeys.get(statement);
  if (known !== undefined) return known;
  const { log_key } = parsePairingStatement(fromBase64url(statement));
  if (knownLogKeys.size >= maxKnown) knownLogKeys.clear();
  knownLogKeys.set(statement, log_key);
  return log_key;
}

export const keysOf = ({ approver, credentials, devices }: Pin): ApproverKeys => ({
  approver,
  credentials,
  devices: devices.map(({ sig_jwk }) => sig_jwk),
});
