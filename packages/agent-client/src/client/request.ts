import {
  type Action,
  action,
  authorizationDetailsType,
  type Bytes,
  contextHash,
  createManifest,
  type Json,
  type Manifest,
  matchCode,
  maxPlaintextBytes,
  maxRequestSeconds,
  type Precondition,
  ProtocolError,
  parse,
  randomId,
  render,
  renderers,
  type Screenshot,
  sealContext,
  sealPicture,
  sha256Text,
  signRequestObject,
  toBase64url,
} from "@countersign/shared";
import { toNumericDate } from "../clock.js";
import { ClientError } from "../errors.js";
import type { Pin } from "../home/pins.js";
import { retrying } from "../http/retry.js";
import { capturePreconditions, changedPreconditions } from "../preconditions/registry.js";
import type {
  Canceled,
  Frozen,
  IntegrityMismatch,
  Pending,
  RefusedByPolicy,
  Unreachable,
} from "./answer.js";
import { refreshPins } from "./chain.js";
import type { ClientContext } from "./context.js";
import { frozenBy } from "./freeze.js";
import type { HeldRequest } from "./held-request.js";
import { lookAtLog } from "./log.js";
import { type OwnRequest, readOwnRequest } from "./own-request.js";
import { readPicture } from "./picture.js";

/** What an agent wants to do. `tool` and `args` may come from the model; everything else is the developer's. */
export interface ActionProposal {
  tool: string;
  /** Anything JSON holds exactly. 9007199254740993, -0, dates and undefined are refused, not rounded. */
  args: Json;
  target?: Action["target"];
  cwd?: string;
  env?: Record<string, string>;
  /** What must still be so just before the effect. The library measures it, now and then again. */
  preconditions?: readonly { kind: string; subject: string }[];
  /** How to undo it, for the approver to read. */
  undo?: Json;
  /** Default: false. */
  reversible?: boolean;
}

export interface RequestOptions {
  /** Ids of paired approvers, the first one first. Default: all that are paired. */
  approvers?: readonly string[];
  /** How many distinct approvers have to say yes. Default: 1. */
  quorum?: number;
  /** Seconds to decide *and* execute in: 1 to 600. Default: 300. */
  expiresInSeconds?: number;
  /** Why this needs a person: the policy's words. */
  reasons?: readonly string[];
  /** The model's own sentence, shown last and quoted. */
  agentClaim?: string;
  /** PNG, JPEG or WebP; a function is called when the request is made, and made anew. */
  screenshot?: Uint8Array | (() => Promise<Uint8Array>);
  /** When the picture was taken. Default: now. */
  capturedAt?: Date;
  /** Aborting takes the request back. */
  signal?: AbortSignal;
}

/** Nobody was asked, or nobody will be heard. */
export type NotAsked = RefusedByPolicy | Unreachable | Canceled | Frozen | IntegrityMismatch;

export type Asked = { answer: Pending; held: HeldRequest } | { answer: NotAsked; held?: undefined };

interface Drafted {
  manifest: Manifest;
  manifestBytes: Bytes;
  picture: Bytes;
}

/**
 * Path, first half: measure, write down, seal for the pinned devices, sign, hand over.
 * Only after the broker has taken it is it written to the journal, and only then does anybody wait for it.
 */
export async function ask(
  context: ClientContext,
  proposal: ActionProposal,
  options: RequestOptions,
): Promise<Asked> {
  const rid = randomId();
  const startedMs = context.clock.monotonic();
  const named = await chooseApprovers(context, options);
  if (typeof named === "string") return refused(named);
  const draft = await draftManifest(context, proposal, options);
  if (typeof draft === "string") return refused(draft);
  const stopped = await stopper(context, named, rid, options.signal);
  if (stopped) return { answer: stopped };
  // Read again: their chains may have brought keys and taken others away.
  const chosen = await chooseApprovers(context, options);
  if (typeof chosen === "string") return refused(chosen);
  if (chosen.some(({ devices }) => devices.length === 0)) return refused("approver_without_device");
  if (!canBeShown(draft.manifest, chosen, options)) return refused("too_large");
  const sealed = await seal(draft, chosen, rid);
  if (!sealed) return refused("too_large");
  const jws = await signRequest(context, { rid, draft, sealed, chosen, options });
  const handed = await handOver(context, { rid, jws, sealed, startedMs, signal: options.signal });
  if (handed.status !== "taken") return { answer: handed };
  const record = {
    v: 1,
    rid,
    manifest: toBase64url(draft.manifestBytes),
    request: jws,
    req_nonce: handed.reqNonce,
  } as const;
  if (!(await context.journal.add(record))) throw new ClientError("already_asked", { detail: rid });
  const own = await readOwnRequest(record, context.key, context.site);
  context.logger.info("requested", { rid, expires: own.request.claims.exp });
  return { answer: pendingOf(own), held: hold(own, startedMs) };
}

/** @param startedMs monotonic time of the request; undefined after a restart */
export function hold(own: OwnRequest, startedMs: number | undefined): HeldRequest {
  const { iat, exp } = own.request.claims;
  const monotonicMs = startedMs === undefined ? undefined : startedMs + (exp - iat) * 1000;
  return {
    own,
    deadline: { execByMs: exp * 1000, monotonicMs },
    idempotencyKey: randomId(),
    evidence: undefined,
    claimedAtMs: undefined,
  };
}

export function pendingOf({ rid, request, reqNonce, manifest }: OwnRequest): Pending {
  return {
    status: "pending",
    rid,
    matchCode: matchCode({ arHash: request.arHash, reqNonce, matchSalt: manifest.match_salt }),
    deadline: new Date(request.claims.exp * 1000),
  };
}

const refused = (code: string): Asked => ({ answer: { status: "refused_by_policy", code } });

/**
 * Nothing is sealed for keys that the chains may have revoked, and nothing asked by an agent that is frozen or whose
 * broker's log contradicts itself.
 */
async function stopper(
  context: ClientContext,
  chosen: readonly Pin[],
  rid: string,
  signal: AbortSignal | undefined,
): Promise<NotAsked | undefined> {
  const untilMs = context.clock.monotonic() + context.retryForMs;
  const approvers = chosen.map(({ approver }) => approver);
  const [refreshed, followed] = await Promise.all([
    refreshPins(context, approvers, { untilMs, signal }),
    lookAtLog(context, { untilMs, signal }),
  ]);
  if (signal?.aborted) return { status: "canceled", rid };
  if (followed.status === "integrity_mismatch") return { ...followed, rid, changed: [] };
  if (refreshed.status === "integrity_mismatch") {
    return { status: "integrity_mismatch", rid, code: refreshed.code, changed: [] };
  }
  const approver = frozenBy(await context.pins.all());
  if (approver !== undefined) return { status: "frozen", rid, approver };
  const missing = [refreshed, followed].find(({ status }) => status === "unreachable");
  if (missing?.status === "unreachable") {
    return { status: "unreachable", rid, code: missing.code };
  }
  return undefined;
}

async function chooseApprovers(
  { pins }: ClientContext,
  { approvers, quorum = 1 }: RequestOptions,
): Promise<Pin[] | string> {
  const paired = await pins.all();
  if (paired.length === 0) return "not_paired";
  const wanted = approvers ?? paired.map(({ approver }) => approver);
  const chosen = wanted.flatMap((id) => paired.find(({ approver }) => approver === id) ?? []);
  if (chosen.length !== new Set(wanted).size || chosen.length > 16) return "approver_not_paired";
  const reachable = Number.isInteger(quorum) && quorum >= 1 && quorum <= chosen.length;
  return reachable ? chosen : "quorum_unreachable";
}

/** @returns the manifest, or the code of what cannot be put to a person exactly as it is */
async function draftManifest(
  { measures, clock }: ClientContext,
  proposal: ActionProposal,
  options: RequestOptions,
): Promise<Drafted | string> {
  const { preconditions: wanted = [], reversible = false, ...given } = proposal;
  const captured = await captureWorld(wanted, measures, options.screenshot);
  if (typeof captured === "string") return captured;
  const { preconditions, pictureBytes } = captured;
  const { capturedAt } = options;
  const picture = pictureBytes && readPicture(pictureBytes);
  if (picture === null) return "picture_unreadable";
  try {
    const { manifest, bytes } = createManifest({
      action: parse(action, { v: 1, ...given, preconditions, reversible }),
      reasons: [...(options.reasons ?? [])],
      capturedAt: toNumericDate(capturedAt?.getTime() ?? clock.now()),
      agentClaim: options.agentClaim,
      screenshot: picture?.screenshot satisfies Screenshot | undefined,
    });
    return { manifest, manifestBytes: bytes, picture: picture?.bytes ?? noPicture };
  } catch (error) {
    if (error instanceof ProtocolError) return error.code;
    throw error;
  }
}

/** How often a world that will not hold still is measured and pictured anew. */
const maxCaptures = 3;

/**
 * The measurements and the picture of one and the same world: measured before the picture is taken and after it.
 * What changes and changes back in between is not noticed.
 */
async function captureWorld(
  wanted: readonly { kind: string; subject: string }[],
  measures: ClientContext["measures"],
  source: RequestOptions["screenshot"],
): Promise<{ preconditions: Precondition[]; pictureBytes: Uint8Array | undefined } | string> {
  for (let captures = 0; captures < maxCaptures; captures++) {
    const captured = await capturePreconditions(wanted, measures);
    if (!captured.ok) return captured.code;
    const { preconditions } = captured;
    // A picture that was taken before is as old as its `capturedAt` says: measuring again would prove nothing.
    if (typeof source !== "function") return { preconditions, pictureBytes: source };
    const pictureBytes = await source();
    const changed = await changedPreconditions(preconditions, measures);
    if (changed.length === 0) return { preconditions, pictureBytes };
  }
  return "precondition_unstable";
}

/** Known before anything is sealed: what is too much for a phone to show is too much for this process to hold. */
function canBeShown(
  manifest: Manifest,
  chosen: readonly Pin[],
  { quorum = 1 }: RequestOptions,
): boolean {
  const approvers = chosen.map(({ approver }) => approver);
  try {
    render(manifest, {
      detail: { renderer: renderers[0], tier: "red", approvers, quorum },
      // Every time takes as many characters as another.
      claims: { exp: manifest.captured_at },
    });
    return true;
  } catch (error) {
    if (error instanceof ProtocolError && error.code === "too_large") return false;
    throw error;
  }
}

/** The manifest, and beside it the picture, where there is one: a phone shows the text before the picture is there. */
interface Sealed {
  manifest: Bytes;
  picture: Bytes | undefined;
}

/** For the pinned devices of the chosen approvers and nobody else. @returns null when there is too much to seal */
async function seal(draft: Drafted, chosen: readonly Pin[], rid: string): Promise<Sealed | null> {
  const { manifestBytes, picture } = draft;
  if (4 + manifestBytes.length + picture.length > maxPlaintextBytes) return null;
  const recipients = chosen.flatMap(({ devices }) => devices.map(({ enc_jwk }) => enc_jwk));
  return {
    manifest: await sealContext({ manifestBytes, picture: noPicture }, recipients, rid),
    picture: picture.length === 0 ? undefined : await sealPicture(rid, picture, recipients),
  };
}

const noPicture = new Uint8Array();

async function signRequest(
  { key, site, clock }: ClientContext,
  parts: {
    rid: string;
    draft: Drafted;
    sealed: Sealed;
    chosen: readonly Pin[];
    options: RequestOptions;
  },
): Promise<string> {
  const { expiresInSeconds = 300, quorum = 1 } = parts.options;
  if (!(expiresInSeconds >= 1 && expiresInSeconds <= maxRequestSeconds)) {
    throw new ClientError("invalid_options", { detail: "expiresInSeconds" });
  }
  const approvers = parts.chosen.map(({ approver }) => approver);
  const [first = ""] = approvers;
  const iat = toNumericDate(clock.now());
  const detail = {
    type: authorizationDetailsType,
    tier: "red",
    ctx: contextHash(parts.draft.manifestBytes),
    sealed_sha256: sha256Text(parts.sealed.manifest),
    ...(parts.sealed.picture ? { sealed_picture_sha256: sha256Text(parts.sealed.picture) } : {}),
    renderer: renderers[0],
    approvers,
    quorum,
  } as const;
  return signRequestObject(
    {
      iss: key.kid,
      aud: site.issuer,
      iat,
      nbf: iat,
      exp: iat + Math.floor(expiresInSeconds),
      jti: parts.rid,
      scope: "openid",
      login_hint: first,
      authorization_details: [detail],
    },
    key,
  );
}

/** All calls may be made again with the same octets, so a lost reply costs nothing. */
async function handOver(
  { broker, clock, retryForMs, logger }: ClientContext,
  parts: {
    rid: string;
    jws: string;
    sealed: Sealed;
    startedMs: number;
    signal?: AbortSignal | undefined;
  },
): Promise<{ status: "taken"; reqNonce: string } | Unreachable | Canceled> {
  const { rid, jws, sealed, signal } = parts;
  const patience = { clock, untilMs: parts.startedMs + retryForMs, signal };
  const store = (piece: Bytes) =>
    retrying(() => broker.putContext(piece, sha256Text(piece), signal), patience);
  const manifest = await store(sealed.manifest);
  const stored = manifest.ok && sealed.picture ? await store(sealed.picture) : manifest;
  const taken = stored.ok ? await retrying(() => broker.authorize(jws, signal), patience) : stored;
  if (taken.ok && !signal?.aborted && "req_nonce" in taken.value) {
    if (taken.value.auth_req_id === rid)
      return { status: "taken", reqNonce: taken.value.req_nonce };
  }
  // The reply may be lost and the request not: take back what nobody will wait for.
  if (stored.ok) await broker.cancel(rid);
  if (signal?.aborted) return { status: "canceled", rid };
  const code = taken.ok ? "invalid_response" : taken.code;
  logger.warn("the broker did not take the request", { rid, code });
  return { status: "unreachable", rid, code };
}
