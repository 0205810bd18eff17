import { createPrivateKey, sign } from "node:crypto";
import {
  type EcPublicJwk,
  ecPublicJwk,
  fromBase64url,
  parse,
  thumbprint,
  vkeyText,
} from "@countersign/shared";
import { exportJWK, generateKeyPair } from "jose";
import { countApprovers } from "./db/approvers.js";
import type { Database } from "./db/client.js";
import { brokerRole } from "./db/roles.js";
import { readHealth, readSetting, settleSetting, writeSetting } from "./db/settings.js";
import type { LogKey, SigningKey, VapidKeys } from "./domain/ports.js";
import { type PublicSite, StartupError } from "./env.js";

/** Between this process and its database, in milliseconds: deadlines are the database's, proofs are ours. */
const maxClockDifference = 10_000;
/** No clock that is right shows an earlier time than this. */
const earliestPlausible = Date.UTC(2026, 0, 1);

/**
 * Refuses a database that may lose what it acknowledged, connections that are not held to the broker's rights, and a
 * clock that cannot be right.
 * @throws StartupError `database_not_durable`, `database_settings_lost`, `clock_wrong`
 */
export async function requireSoundDatabase(db: Database, now: () => number): Promise<void> {
  const health = await readHealth(db);
  if (health.fsync !== "on") {
    throw new StartupError(
      "database_not_durable",
      "PostgreSQL runs with fsync off and may lose approvals. Set fsync = on and restart it.",
    );
  }
  if (health.synchronousCommit === "off") {
    throw new StartupError(
      "database_not_durable",
      "PostgreSQL runs with synchronous_commit off and may lose approvals. Set synchronous_commit = on.",
    );
  }
  if (health.role !== brokerRole || health.statementTimeout === "0") {
    throw new StartupError(
      "database_settings_lost",
      "Something between here and PostgreSQL, such as a pooler, keeps the settings of connections back: the broker would work with its owner's rights. Let it pass options and statement_timeout on, or connect past it.",
    );
  }
  if (now() < earliestPlausible) {
    throw new StartupError(
      "clock_wrong",
      `This machine's clock shows ${new Date(now()).toISOString()}. Set it right: deadlines depend on it.`,
    );
  }
  const difference = Math.abs(health.clockMilliseconds - now());
  if (difference > maxClockDifference) {
    throw new StartupError(
      "clock_wrong",
      `This machine's clock and the database's are ${Math.round(difference / 1000)} s apart. Set both right, for example by NTP.`,
    );
  }
}

/**
 * Passkeys belong to a host name for good: once somebody has enrolled, another one would lock everybody out.
 * @throws StartupError `relying_party_changed`
 */
export async function requireSameRelyingParty(db: Database, site: PublicSite): Promise<void> {
  const name = "relying_party";
  const stored = await readSetting<string>(db, name);
  if (stored === site.rp_id) return;
  if (stored !== undefined && (await countApprovers(db)) > 0) {
    throw new StartupError(
      "relying_party_changed",
      `PUBLIC_URL was on ${stored} and is now on ${site.rp_id}: every passkey would stop working. Set it back, or start with an empty database.`,
    );
  }
  await writeSetting(db, name, site.rp_id);
}

/** The key of the broker's own tokens, made once and shared by all brokers of a database. */
export async function loadSigningKey(db: Database): Promise<SigningKey> {
  const name = "signing_key";
  const stored =
    (await readSetting<Record<string, string>>(db, name)) ??
    (await settleSetting(db, name, await newSigningKey()));
  const { kty, crv, x, y } = stored;
  const publicJwk: EcPublicJwk = parse(ecPublicJwk, { kty, crv, x, y });
  const privateKey = createPrivateKey({ key: stored, format: "jwk" });
  const key = { key: privateKey, dsaEncoding: "ieee-p1363" } as const;
  return {
    kid: thumbprint(publicJwk),
    publicJwk,
    // On this thread: an agent waits for it, and to another one and back takes longer than to sign.
    sign: (octets) => Uint8Array.from(sign("sha256", octets, key)),
  };
}

/** The key that push services know this server by: with another one every subscription would be void. */
export async function loadVapidKeys(db: Database, make: () => VapidKeys): Promise<VapidKeys> {
  const name = "vapid_keys";
  return (await readSetting<VapidKeys>(db, name)) ?? (await settleSetting(db, name, make()));
}

interface StoredLogKey {
  name: string;
  jwk: { kty: "OKP"; crv: "Ed25519"; x: string; d: string };
}

/**
 * The key that signs checkpoints, made at the first start. Its name is the log's origin and stays what it was then:
 * agents and phones pin both.
 */
export async function loadLogKey(db: Database, site: PublicSite): Promise<LogKey> {
  const setting = "log_key";
  const { name, jwk } =
    (await readSetting<StoredLogKey>(db, setting)) ??
    (await settleSetting(db, setting, await newLogKey(site)));
  const publicKey = fromBase64url(jwk.x);
  return {
    name,
    publicKey,
    privateKey: await crypto.subtle.importKey("jwk", jwk, "Ed25519", false, ["sign"]),
    vkey: vkeyText({ name, publicKey }),
  };
}

async function newLogKey(site: PublicSite): Promise<StoredLogKey> {
  const { privateKey } = await generateKeyPair("Ed25519", { extractable: true });
  const { x = "", d = "" } = await exportJWK(privateKey);
  const jwk = { kty: "OKP", crv: "Ed25519", x, d } as const;
  return { name: `${new URL(site.origin).host}/log`, jwk };
}

async function newSigningKey(): Promise<Record<string, string>> {
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  return { ...(await exportJWK(privateKey)) } as Record<string, string>;
}
