import {
  type Bytes,
  contextHash,
  createManifest,
  matchCode,
  publicJwk,
  type Rectangle,
  randomId,
  randomNonce,
  render,
  renderers,
  sha256Text,
  signRequestObject,
  thumbprint,
  verifyRequestObject,
  viewHash,
} from "@countersign/shared";
import { nowSeconds } from "../clock.js";
import type { Opened, Progress } from "../review/opened.js";
import type { Picture } from "../review/verify.js";
import type { SignedIn } from "../session.js";
import { strings } from "../strings.js";
import { drawPractice } from "./picture.js";

const lifetimeSeconds = 600;

/**
 * A request that looks like any other and is none: its agent's key is made here and thrown away, it waits at no
 * server, and what is signed for it has a purpose of its own.
 * @see protocol section 7, practice
 */
export async function practiceRequest(
  own: SignedIn,
  kind: "deny" | "approve",
): Promise<{ opened: Opened; progress: Progress }> {
  const key = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, false, [
    "sign",
    "verify",
  ]);
  const jwk = await publicJwk(key.publicKey);
  const agentJkt = thumbprint(jwk);
  const words = strings.practice.requests[kind];
  const { picture, target } = await drawPractice(words.picture, words.button);
  const now = nowSeconds();
  const { manifest, bytes } = createManifest({
    action: {
      v: 1,
      tool: words.tool,
      args: words.args,
      target: { application: strings.practice.application, rectangle: target },
      preconditions: [],
      reversible: kind === "approve",
    },
    reasons: [words.reason],
    capturedAt: now,
    agentClaim: words.claim,
    screenshot: {
      sha256: sha256Text(picture.bytes),
      mime: "image/png",
      width: picture.width,
      height: picture.height,
    },
  });
  const rid = randomId();
  const jws = await signRequestObject(
    {
      iss: agentJkt,
      aud: own.site.issuer,
      iat: now,
      nbf: now,
      exp: now + lifetimeSeconds,
      jti: rid,
      scope: "openid",
      login_hint: own.approver,
      authorization_details: [
        {
          type: "urn:countersign:action:v1",
          tier: kind === "deny" ? "red" : "yellow",
          ctx: contextHash(bytes),
          sealed_sha256: sha256Text(bytes),
          renderer: renderers[renderers.length - 1] ?? renderers[0],
          approvers: [own.approver],
          quorum: 1,
        },
      ],
    },
    { kid: agentJkt, privateKey: key.privateKey },
  );
  const request = await verifyRequestObject(jws, jwk);
  const view = render(manifest, request);
  const reqNonce = randomNonce();
  const agent = {
    approver: own.approver,
    agent_jkt: agentJkt,
    jwk,
    name: strings.practice.agent,
    host: strings.practice.host,
    paired_at: now,
  };
  const code = matchCode({ arHash: request.arHash, reqNonce, matchSalt: manifest.match_salt });
  return {
    opened: {
      rid,
      agentJkt,
      reqNonce,
      decidable: true,
      tree: undefined,
      verdict: {
        kind: "verified",
        agent,
        request,
        manifest,
        manifestBytes: bytes,
        picture,
        view,
        viewHash: viewHash(view, manifest.salt),
        matchCode: code,
      },
    },
    progress: {
      state: "pending",
      expiresAt: request.claims.exp,
      approvals: 0,
      quorum: 1,
      decided: undefined,
      frozen: false,
      outcomes: [],
    },
  };
}

export interface PracticePicture {
  picture: Picture & { bytes: Bytes };
  target: Rectangle;
}
