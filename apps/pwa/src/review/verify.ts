import {
  type AuthorizationRequest,
  type Bytes,
  type Context,
  contextHash,
  type Manifest,
  matchCode,
  openContext,
  openPicture,
  type PictureHeader,
  ProtocolError,
  parseManifest,
  type RequestDetail,
  readPictureHeader,
  readRequestObject,
  render,
  renderers,
  type Site,
  sha256Text,
  type View,
  verifyRequestObject,
  viewHash,
} from "@countersign/shared";
import type { Device } from "../keys/device.js";
import type { PairedAgent } from "../keys/paired-agents.js";

/** Why Approve is not offered. Each one is a sentence in strings.ts. */
export type Refusal =
  | "device_not_enrolled"
  | "request_unreadable"
  | "agent_not_paired"
  | "request_forged"
  | "request_of_another_id"
  | "request_for_another_server"
  | "request_expired"
  | "approver_not_named"
  | "context_missing"
  | "context_altered"
  | "context_not_sealed_for_device"
  | "context_of_another_request"
  | "action_altered"
  | "action_unreadable"
  | "picture_missing"
  | "picture_altered"
  | "picture_not_as_declared"
  | "renderer_unknown"
  | "view_too_large"
  | "log_contradicted"
  | "log_withheld";

/** The text, verified, while its picture or the server's log is still to come. It can be read, and not approved. */
export interface Readable {
  kind: "readable";
  agent: PairedAgent;
  request: AuthorizationRequest;
  manifest: Manifest;
  /** As they were sealed, and as `ctx` covers them. */
  manifestBytes: Bytes;
  view: View;
  viewHash: string;
  matchCode: string;
}

/** What was verified, and all that a statement about it is made from. */
export interface Verified extends Omit<Readable, "kind"> {
  kind: "verified";
  picture: Picture | null;
}

/** Deny only. What is known of the request all the same: who claims it, and its claims once they were verified. */
export interface Refused {
  kind: "refused";
  refusal: Refusal;
  agent: PairedAgent | null;
  request: AuthorizationRequest | null;
  /** What the server's log was, and what it is now: two signed notes. */
  notes?: { known: string; shown: string };
}

export interface Picture extends PictureHeader {
  bytes: Bytes;
}

/** What the server sent about one request, fetched once and kept: only these bytes are shown and signed. */
export interface Received {
  rid: string;
  detail: Pick<RequestDetail, "request" | "req_nonce">;
  /** The sealed context's octets; null when the server has none any more. */
  sealed: Bytes | null;
  /** Fetches the picture's own piece, which the signed request names. */
  fetchPicture?: (sealedSha256: string) => Promise<Bytes | null>;
}

/** What this phone knows by itself. */
export interface Known {
  site: Site;
  approver: string;
  device: Device | null;
  /** NumericDate by the server's clock. */
  nowSeconds: number;
  findAgent: (agentJkt: string) => Promise<PairedAgent | undefined>;
}

/**
 * The path on the phone: everything that must hold before Approve can wake, in the order of the protocol
 * (section 3, object 7). The first failure ends it, and then there is Deny and nothing else.
 * @param onReadable told of the text before the picture is there
 */
export async function verifyReview(
  received: Received,
  known: Known,
  onReadable?: (text: Readable) => void,
): Promise<Verified | Refused> {
  let agent: PairedAgent | null = null;
  let request: AuthorizationRequest | null = null;
  try {
    const device = known.device ?? refuse("device_not_enrolled");

    agent = await pairedAgentOf(received.detail.request, known);
    const verified = await verifyUnderAgentKey(received.detail.request, agent);
    request = verified;
    checkClaims(verified, received.rid, known);

    const pictured = fetchPicture(received, verified, device);
    const sealed = received.sealed ?? refuse("context_missing");
    if (sha256Text(sealed) !== verified.detail.sealed_sha256) refuse("context_altered");
    const context = await open(sealed, device, verified.rid);

    if (contextHash(context.manifestBytes) !== verified.detail.ctx) refuse("action_altered");
    const manifest = readManifest(context.manifestBytes);

    if (!renderers.some((version) => version === verified.detail.renderer))
      refuse("renderer_unknown");

    const view = orRefuse("view_too_large", () => render(manifest, verified));
    const text = {
      agent,
      request: verified,
      manifest,
      manifestBytes: context.manifestBytes,
      view,
      viewHash: viewHash(view, manifest.salt),
      matchCode: matchCode({
        arHash: verified.arHash,
        reqNonce: received.detail.req_nonce,
        matchSalt: manifest.match_salt,
      }),
    };
    onReadable?.({ kind: "readable", ...text });

    // In a piece of its own, or inside the context: never in both.
    if (pictured && context.picture.length > 0) refuse("picture_not_as_declared");
    const picture = checkPicture(manifest, (await pictured) ?? context.picture);
    return { kind: "verified", ...text, picture };
  } catch (error) {
    if (!(error instanceof RefusalError)) throw error;
    return { kind: "refused", refusal: error.refusal, agent, request };
  }
}

/** The key comes from this phone's own pairing, looked up by the thumbprint that the request claims. */
async function pairedAgentOf(jws: string, known: Known): Promise<PairedAgent> {
  const claimed = orRefuse("request_unreadable", () => readRequestObject(jws).claims.iss);
  return (await known.findAgent(claimed)) ?? refuse("agent_not_paired");
}

/**
 * Signature, `typ`, and that the key is the issuer's. `ar_hash` is H("request") of the very octets that the
 * signature covers: it is computed here and taken from nobody.
 */
async function verifyUnderAgentKey(jws: string, agent: PairedAgent): Promise<AuthorizationRequest> {
  return verifyRequestObject(jws, agent.jwk).catch((error) => refuseFor("request_forged", error));
}

function checkClaims(
  { claims, detail, rid }: AuthorizationRequest,
  asked: string,
  known: Known,
): void {
  if (claims.aud !== known.site.issuer) refuse("request_for_another_server");
  if (claims.exp <= known.nowSeconds) refuse("request_expired");
  if (!detail.approvers.includes(known.approver)) refuse("approver_not_named");
  if (rid !== asked) refuse("request_of_another_id");
}

/** Decrypts with this device's key; `aad` must be the request's id. */
async function open(sealed: Bytes, device: Device, rid: string): Promise<Context> {
  return openContext(sealed, device, rid).catch((error: unknown) => {
    const notForUs = error instanceof ProtocolError && error.code === "not_found";
    return refuseFor(
      notForUs ? "context_not_sealed_for_device" : "context_of_another_request",
      error,
    );
  });
}

/** The picture's own piece, fetched while the text is read; undefined where the request names none. */
function fetchPicture(
  received: Received,
  { rid, detail }: AuthorizationRequest,
  device: Device,
): Promise<Bytes> | undefined {
  const { sealed_picture_sha256: sealedSha256 } = detail;
  if (sealedSha256 === undefined) return undefined;
  const fetching = received.fetchPicture?.(sealedSha256) ?? Promise.resolve(null);
  const opening = fetching.then((octets) =>
    openPicture(octets ?? refuse("picture_missing"), device, { rid, sealedSha256 }).catch(
      (error: unknown) => refuseFor("picture_altered", error),
    ),
  );
  // What failed before the picture is asked for is what counts.
  opening.catch(() => undefined);
  return opening;
}

function readManifest(bytes: Bytes): Manifest {
  return orRefuse("action_unreadable", () => parseManifest(bytes));
}

/** Before decoding: the picture is the declared octets, of the declared type and size; or there is none at all. */
function checkPicture({ screenshot }: Manifest, bytes: Bytes): Picture | null {
  if (!screenshot) return bytes.length === 0 ? null : refuse("picture_not_as_declared");
  if (bytes.length === 0) refuse("picture_missing");
  if (sha256Text(bytes) !== screenshot.sha256) refuse("picture_altered");
  const header = readPictureHeader(bytes);
  const asDeclared =
    header?.mime === screenshot.mime &&
    header.width === screenshot.width &&
    header.height === screenshot.height;
  return asDeclared ? { ...header, bytes } : refuse("picture_not_as_declared");
}

/** How a failed check leaves the path. Never seen outside this file. */
class RefusalError extends Error {
  override readonly name = "RefusalError";
  readonly refusal: Refusal;

  constructor(refusal: Refusal, options?: ErrorOptions) {
    super(refusal, options);
    this.refusal = refusal;
  }
}

function refuse(refusal: Refusal): never {
  throw new RefusalError(refusal);
}

/** Turns what the protocol's own checks throw into a refusal; any other error is a bug and goes on. */
function refuseFor(refusal: Refusal, error: unknown): never {
  if (!(error instanceof ProtocolError)) throw error;
  throw new RefusalError(refusal, { cause: error });
}

function orRefuse<T>(refusal: Refusal, check: () => T): T {
  try {
    return check();
  } catch (error) {
    return refuseFor(refusal, error);
  }
}
