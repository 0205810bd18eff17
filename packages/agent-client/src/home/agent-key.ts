import { join } from "node:path";
import { bytes32, type EcPublicJwk, ecPublicJwk, parse, thumbprint } from "@countersign/shared";
import * as z from "zod/mini";
import { ClientError } from "../errors.js";
import { createExclusive, readPrivateJson } from "./durable-file.js";

/** The agent's identity. `kid` is the key's thumbprint, which is also its `client_id`. */
export interface AgentKey {
  kid: string;
  jwk: EcPublicJwk;
  privateKey: CryptoKey;
}

const es256 = { name: "ECDSA", namedCurve: "P-256" } as const;
const privateJwk = z.strictObject({ ...ecPublicJwk.shape, d: bytes32 });

/**
 * @returns undefined when this home has no key yet: only pairing makes one
 * @throws ClientError `home_corrupt`, `home_unsafe`
 */
export async function readAgentKey(home: string): Promise<AgentKey | undefined> {
  const path = keyPath(home);
  const stored = await readPrivateJson(path);
  if (stored === undefined) return undefined;
  try {
    const { d, ...jwk } = parse(privateJwk, stored);
    const privateKey = await crypto.subtle.importKey("jwk", { ...jwk, d }, es256, false, ["sign"]);
    return { kid: thumbprint(jwk), jwk, privateKey };
  } catch (cause) {
    throw new ClientError("home_corrupt", { cause, detail: path });
  }
}

/** The key of this home, made on the first call. Two processes that race here end up with the same one. */
export async function ensureAgentKey(home: string): Promise<AgentKey> {
  const existing = await readAgentKey(home);
  if (existing) return existing;
  const pair = await crypto.subtle.generateKey(es256, true, ["sign", "verify"]);
  const { kty, crv, x, y, d } = await crypto.subtle.exportKey("jwk", pair.privateKey);
  await createExclusive(keyPath(home), { kty, crv, x, y, d });
  return ensureAgentKey(home);
}

const keyPath = (home: string): string => join(home, "agent-key.json");
