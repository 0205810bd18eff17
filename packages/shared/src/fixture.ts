import { existsSync } from "node:fs";
import { createSoftAuthenticator } from "../../test-kit/src/soft-authenticator.js";
import { createSoftDevice } from "../../test-kit/src/soft-device.js";
import type { Action } from "./action.js";
import { type Bytes, randomId, randomNonce } from "./bytes.js";
import { publicJwk } from "./device-key.js";
import { thumbprint } from "./hash.js";
import { contextHash, createManifest } from "./manifest.js";
import {
  authorizationDetailsType,
  type RequestObject,
  signRequestObject,
  verifyRequestObject,
} from "./request-object.js";
import { render, viewHash } from "./view/render.js";

export const site = {
  issuer: "https://countersign.example",
  rp_id: "countersign.example",
  origin: "https://countersign.example",
};

/** Test data that others published. It lies beside the repository and may be absent. */
export function publishedVectors(folder: string): { url: URL; absent: boolean } {
  const url = new URL(`../../../../shared/vectors/${folder}/`, import.meta.url);
  const absent = !existsSync(url);
  if (absent) console.warn(`SKIPPED: the published test vectors "${folder}" are not here.`);
  return { url, absent };
}

export async function createAgentKey() {
  const pair = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, [
    "sign",
    "verify",
  ]);
  const jwk = await publicJwk(pair.publicKey);
  return { jwk, kid: thumbprint(jwk), privateKey: pair.privateKey };
}

export const action: Action = {
  v: 1,
  tool: "email.send",
  args: { to: "board@example.org", urgent: true, copies: 2 },
  target: { window: "Inbox", rectangle: { x: 1, y: 2, width: 3, height: 4 } },
  cwd: "/home/ada",
  env: { LANG: "C" },
  preconditions: [{ kind: "file", subject: "report.pdf", sha256: randomNonce() }],
  undo: null,
  reversible: false,
};

export async function createApprover() {
  const authenticator = createSoftAuthenticator({ rpId: site.rp_id, origin: site.origin });
  const device = await createSoftDevice();
  const approver = randomId();
  const keys = {
    approver,
    credentials: [authenticator.credential],
    devices: [device.keys.sig_jwk],
  };
  return { approver, authenticator, device, keys };
}

export function requestClaims(kid: string, approvers: [string, ...string[]], ctx: string) {
  return {
    iss: kid,
    aud: site.issuer,
    iat: 1_800_000_000,
    nbf: 1_800_000_000,
    exp: 1_800_000_300,
    jti: randomId(),
    scope: "openid",
    login_hint: approvers[0],
    authorization_details: [
      {
        type: authorizationDetailsType,
        tier: "red",
        ctx,
        sealed_sha256: randomNonce(),
        renderer: "2",
        approvers,
        quorum: 1,
      },
    ],
  } satisfies RequestObject;
}

/** A request as one approver's phone and the agent hold it after the broker took it. */
export async function createRequest() {
  const agent = await createAgentKey();
  const person = await createApprover();
  const { manifest, bytes } = createManifest({
    action,
    reasons: ["first use of email.send"],
    capturedAt: 1_800_000_000,
    agentClaim: "I send the report",
  });
  const claims = requestClaims(agent.kid, [person.approver], contextHash(bytes));
  const request = await verifyRequestObject(await signRequestObject(claims, agent), agent.jwk);
  const context = {
    site,
    request,
    viewHash: viewHash(render(manifest, request), manifest.salt),
    reqNonce: randomNonce(),
  };
  return { agent, person, manifest, manifestBytes: bytes, claims, request, context };
}

export function flipByte(bytes: Uint8Array, index: number, mask = 1): Bytes {
  const flipped = new Uint8Array(bytes);
  flipped[index] = (flipped[index] as number) ^ mask;
  return flipped;
}
