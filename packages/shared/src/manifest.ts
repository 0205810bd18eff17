import * as z from "zod/mini";
import { type Action, action } from "./action.js";
import { type Bytes, randomNonce } from "./bytes.js";
import { hash } from "./hash.js";
import { canonicalBytes, parseCanonical } from "./json.js";
import { bytes32, label, numericDate, parse } from "./schema.js";

export const screenshot = z.strictObject({
  sha256: bytes32,
  mime: z.enum(["image/png", "image/jpeg", "image/webp"]),
  width: z.int().check(z.minimum(1), z.maximum(16_384)),
  height: z.int().check(z.minimum(1), z.maximum(16_384)),
});
export type Screenshot = z.infer<typeof screenshot>;

/** What the approver sees and the executor runs from (protocol section 3, object 2). */
export const manifest = z.strictObject({
  v: z.literal(1),
  salt: bytes32,
  match_salt: bytes32,
  action,
  agent_claim: z.optional(label(2000)),
  reasons: z.array(label(500)).check(z.maxLength(32)),
  captured_at: numericDate,
  screenshot: z.optional(screenshot),
});
export type Manifest = z.infer<typeof manifest>;

/**
 * Fresh salts around an action. The salt keeps whoever knows `ctx` from guessing the action.
 * @throws ProtocolError `number_not_exact`, `invalid_json`, `too_deep`, `forbidden_member`, `unknown_member`
 */
export function createManifest(parts: {
  action: Action;
  reasons: string[];
  capturedAt: number;
  agentClaim?: string | undefined;
  screenshot?: Screenshot | undefined;
}): { manifest: Manifest; bytes: Bytes } {
  const bytes = canonicalBytes({
    v: 1,
    salt: randomNonce(),
    match_salt: randomNonce(),
    action: parts.action,
    ...(parts.agentClaim === undefined ? {} : { agent_claim: parts.agentClaim }),
    reasons: parts.reasons,
    captured_at: parts.capturedAt,
    ...(parts.screenshot === undefined ? {} : { screenshot: parts.screenshot }),
  });
  return { manifest: parseManifest(bytes), bytes };
}

/** @throws ProtocolError any code of {@link parseCanonical}, and `unknown_member` */
export function parseManifest(bytes: Uint8Array): Manifest {
  return parse(manifest, parseCanonical(bytes));
}

/** `ctx`: the one hash that is rendered, signed, executed and logged (promise P2). */
export const contextHash = (manifestBytes: Uint8Array): string => hash("context", manifestBytes);
