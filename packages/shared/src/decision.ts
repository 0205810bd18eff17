import * as z from "zod/mini";
import { assertion, type Credential, verifyAssertion } from "./assertion.js";
import { fromBase64url } from "./bytes.js";
import { verifyDeviceSignature } from "./device-key.js";
import { ProtocolError } from "./errors.js";
import { type EcPublicJwk, hash, thumbprint } from "./hash.js";
import { base64url, signature } from "./schema.js";
import {
  type Denial,
  parseDenial,
  parseStatement,
  type Statement,
  type StatementContext,
} from "./statement.js";

/** An approval as it travels: S, the assertion over it, the device's signature over it. */
export const approval = z.strictObject({
  decision: z.literal("approve"),
  statement: base64url,
  assertion,
  device_signature: signature,
});
export type Approval = z.infer<typeof approval>;

/** A denial as it travels: D and the device's signature over it. */
export const deniedDecision = z.strictObject({
  decision: z.literal("deny"),
  statement: base64url,
  device_signature: signature,
});
export type DeniedDecision = z.infer<typeof deniedDecision>;

export const decision = z.discriminatedUnion("decision", [approval, deniedDecision]);
export type Decision = z.infer<typeof decision>;

/** The keys of one approver as one party holds them: pinned by an agent, or registered at a broker. */
export interface ApproverKeys {
  approver: string;
  credentials: readonly Credential[];
  devices: readonly EcPublicJwk[];
}

/**
 * Verifies one approval against what the verifier knows by itself (section 5, steps 1 and 2): every member
 * of S, the assertion over `H("approve", S)` and the device signature, by keys held for `S.approver`.
 * `cid` and `broker_nonce` are covered by the challenge; the broker, who made them, compares them itself.
 * @throws ProtocolError `invalid_binding` with the member as `reason`, `credential_unknown`, `device_unknown`,
 *   `assertion_invalid`, `device_signature_invalid`, and the encoding codes
 */
export async function verifyApproval(
  given: Approval,
  context: StatementContext,
  keys: ApproverKeys,
  verify: typeof verifyAssertion = verifyAssertion,
): Promise<Statement> {
  const bytes = fromBase64url(given.statement);
  const statement = parseStatement(bytes);
  compare(statement, context, keys.approver);
  await verify(given.assertion, {
    challenge: hash("approve", bytes),
    origin: context.site.origin,
    rpId: context.site.rp_id,
    credential: credentialOf(given, keys),
  });
  const device = deviceOf(keys, statement.device_kid);
  await verifyDeviceSignature("approve", bytes, given.device_signature, device);
  return statement;
}

function compare(statement: Statement, context: StatementContext, approver: string): void {
  const { site, request } = context;
  const expected: Partial<Statement> = {
    issuer: site.issuer,
    rp_id: site.rp_id,
    origin: site.origin,
    rid: request.rid,
    approver,
    ar_hash: request.arHash,
    ctx: request.detail.ctx,
    view_hash: context.viewHash,
    renderer: request.detail.renderer,
    agent_jkt: request.claims.iss,
    req_nonce: context.reqNonce,
    exec_by: request.claims.exp,
  };
  for (const [member, value] of Object.entries(expected)) {
    if (statement[member as keyof Statement] !== value) {
      throw new ProtocolError("invalid_binding", { reason: member });
    }
  }
  if (!request.detail.approvers.includes(statement.approver)) {
    throw new ProtocolError("invalid_binding", { reason: "approvers" });
  }
}

/**
 * Verifies a denial: D names this request, this agent and an approver of it, and a device held for that
 * approver signed it.
 * @throws ProtocolError `invalid_binding`, `device_unknown`, `device_signature_invalid`, and the encoding codes
 */
export async function verifyDenial(
  given: DeniedDecision,
  expected: { issuer: string; rid: string; agentJkt: string; approvers: readonly string[] },
  keys: ApproverKeys,
): Promise<Denial> {
  const bytes = fromBase64url(given.statement);
  const denial = parseDenial(bytes);
  const bound =
    denial.issuer === expected.issuer &&
    denial.rid === expected.rid &&
    denial.agent_jkt === expected.agentJkt &&
    denial.approver === keys.approver &&
    expected.approvers.includes(denial.approver);
  if (!bound) throw new ProtocolError("invalid_binding");
  const device = deviceOf(keys, denial.device_kid);
  await verifyDeviceSignature("deny", bytes, given.device_signature, device);
  return denial;
}

/**
 * The credential that an approval says it is by.
 * @throws ProtocolError `credential_unknown`
 */
export function credentialOf(given: Approval, { credentials }: ApproverKeys): Credential {
  const credential = credentials.find(({ id }) => id === given.assertion.id);
  if (!credential) throw new ProtocolError("credential_unknown");
  return credential;
}

function deviceOf(keys: ApproverKeys, kid: string): EcPublicJwk {
  const device = keys.devices.find((jwk) => thumbprint(jwk) === kid);
  if (!device) throw new ProtocolError("device_unknown");
  return device;
}

/** The approver that a decision names, to look keys up by before anything is verified. */
export function approverOf(given: Decision): string {
  const bytes = fromBase64url(given.statement);
  return given.decision === "approve"
    ? parseStatement(bytes).approver
    : parseDenial(bytes).approver;
}
