import * as z from "zod/mini";
import type { Bytes } from "./bytes.js";
import { canonicalBytes, parseCanonical } from "./json.js";
import type { AuthorizationRequest } from "./request-object.js";
import { bytes32, id, label, numericDate, parse } from "./schema.js";
import type { Site } from "./site.js";

/** A tree of the log: its size and its root. */
const tree = z.strictObject({ size: z.int().check(z.nonnegative()), root: bytes32 });
export type Tree = z.infer<typeof tree>;

/** S: what an approver's passkey signs, for exactly one request (section 3, object 7). */
export const statement = z.strictObject({
  v: z.literal(1),
  decision: z.literal("approve"),
  issuer: label(2000),
  rp_id: label(253),
  origin: label(2000),
  rid: id,
  cid: id,
  approver: id,
  ar_hash: bytes32,
  ctx: bytes32,
  view_hash: bytes32,
  renderer: label(16),
  agent_jkt: bytes32,
  req_nonce: bytes32,
  broker_nonce: bytes32,
  /** The log as this phone last saw it: each approval notarises it. */
  checkpoint: z.optional(tree),
  exec_by: numericDate,
  device_kid: bytes32,
});
export type Statement = z.infer<typeof statement>;

/** What one party knows of a request by itself, before it trusts a word of a statement about it. */
export interface StatementContext {
  site: Site;
  request: AuthorizationRequest;
  viewHash: string;
  reqNonce: string;
}

/** S as canonical bytes. The phone makes it from what it checked and rendered itself. */
export function statementBytes(
  context: StatementContext,
  ceremony: {
    cid: string;
    brokerNonce: string;
    approver: string;
    deviceKid: string;
    checkpoint?: Tree | undefined;
  },
): Bytes {
  const { site, request } = context;
  return canonicalBytes({
    v: 1,
    decision: "approve",
    issuer: site.issuer,
    rp_id: site.rp_id,
    origin: site.origin,
    rid: request.rid,
    cid: ceremony.cid,
    approver: ceremony.approver,
    ar_hash: request.arHash,
    ctx: request.detail.ctx,
    view_hash: context.viewHash,
    renderer: request.detail.renderer,
    agent_jkt: request.claims.iss,
    req_nonce: context.reqNonce,
    broker_nonce: ceremony.brokerNonce,
    ...(ceremony.checkpoint
      ? { checkpoint: { size: ceremony.checkpoint.size, root: ceremony.checkpoint.root } }
      : {}),
    exec_by: request.claims.exp,
    device_kid: ceremony.deviceKid,
  } satisfies Statement);
}

/** @throws ProtocolError any code of {@link parseCanonical}, and `unknown_member` */
export function parseStatement(bytes: Uint8Array): Statement {
  return parse(statement, parseCanonical(bytes));
}

/** D: a refusal, signed by the device alone (section 3, object 8). */
export const denial = z.strictObject({
  v: z.literal(1),
  decision: z.literal("deny"),
  issuer: label(2000),
  approver: id,
  rid: id,
  agent_jkt: bytes32,
  device_kid: bytes32,
  reason: z.optional(label(500)),
});
export type Denial = z.infer<typeof denial>;

/** D as canonical bytes. It needs neither ceremony nor an opened context: a request nobody can read can be denied. */
export function denialBytes(parts: {
  issuer: string;
  approver: string;
  rid: string;
  agentJkt: string;
  deviceKid: string;
  reason?: string | undefined;
}): Bytes {
  return canonicalBytes({
    v: 1,
    decision: "deny",
    issuer: parts.issuer,
    approver: parts.approver,
    rid: parts.rid,
    agent_jkt: parts.agentJkt,
    device_kid: parts.deviceKid,
    ...(parts.reason === undefined ? {} : { reason: parts.reason }),
  } satisfies Denial);
}

/** @throws ProtocolError any code of {@link parseCanonical}, and `unknown_member` */
export function parseDenial(bytes: Uint8Array): Denial {
  return parse(denial, parseCanonical(bytes));
}
