import {
  type Bytes,
  contextHash,
  type EcPublicJwk,
  type Manifest,
  matchCode,
  ProtocolError,
  parseManifest,
  type RequestDetail,
  readPictureHeader,
  readRequestObject,
  render,
  type Screenshot,
  type Site,
  type StatementContext,
  sha256Text,
  type View,
  verifyRequestObject,
  viewHash,
} from "@countersign/shared";
import type { SoftDevice } from "./soft-device.js";

/** What the phone holds by itself before it believes a word of a request. */
export interface Reviewer {
  rid: string;
  site: Site;
  approver: string;
  device: SoftDevice;
  agents: ReadonlyMap<string, EcPublicJwk>;
  /** The picture's own piece, as the server gives it. */
  fetchPicture(sealedSha256: string): Promise<Bytes>;
}

export interface Review {
  view: View;
  manifest: Manifest;
  /** Empty where there is no picture. */
  picture: Bytes;
  matchCode: string;
  request: StatementContext["request"];
  context: StatementContext;
}

/**
 * Every check that must pass before Approve can wake, in the protocol's order (section 3, object 7).
 * @throws ProtocolError of the first that fails; then the person can only deny
 */
export async function reviewRequest(
  detail: RequestDetail,
  octets: Bytes,
  own: Reviewer,
): Promise<Review> {
  const agent = own.agents.get(readRequestObject(detail.request).claims.iss);
  if (!agent) throw new ProtocolError("invalid_client");
  const request = await verifyRequestObject(detail.request, agent);
  const { claims, detail: asked } = request;
  if (claims.aud !== own.site.issuer) throw new ProtocolError("invalid_binding", { reason: "aud" });
  if (claims.exp <= Date.now() / 1000) throw new ProtocolError("expired");
  if (!asked.approvers.includes(own.approver)) {
    throw new ProtocolError("invalid_binding", { reason: "approvers" });
  }
  if (request.rid !== own.rid) throw new ProtocolError("invalid_binding", { reason: "rid" });
  if (sha256Text(octets) !== asked.sealed_sha256) {
    throw new ProtocolError("invalid_binding", { reason: "sealed_sha256" });
  }
  const { manifestBytes, picture: inside } = await own.device.open(octets, own.rid);
  if (contextHash(manifestBytes) !== asked.ctx) {
    throw new ProtocolError("invalid_binding", { reason: "ctx" });
  }
  const manifest = parseManifest(manifestBytes);
  const { sealed_picture_sha256: sealedSha256 } = asked;
  const picture =
    sealedSha256 === undefined
      ? inside
      : await own.device.openPicture(await own.fetchPicture(sealedSha256), {
          ...{ rid: own.rid, sealedSha256 },
        });
  checkPicture(picture, manifest.screenshot);
  const view = render(manifest, request);
  const context = {
    site: own.site,
    request,
    viewHash: viewHash(view, manifest.salt),
    reqNonce: detail.req_nonce,
  };
  return {
    view,
    manifest,
    picture,
    matchCode: matchCode({
      arHash: request.arHash,
      reqNonce: detail.req_nonce,
      matchSalt: manifest.match_salt,
    }),
    request,
    context,
  };
}

/** The picture's own type and size, before anything decodes it. */
function checkPicture(picture: Bytes, screenshot: Screenshot | undefined): void {
  if (!screenshot && picture.length === 0) return;
  const header = readPictureHeader(picture);
  const sound =
    screenshot !== undefined &&
    sha256Text(picture) === screenshot.sha256 &&
    header?.mime === screenshot.mime &&
    header.width === screenshot.width &&
    header.height === screenshot.height;
  if (!sound) throw new ProtocolError("invalid_binding", { reason: "screenshot" });
}
