import {
  type AuthorizationRequest,
  approverOf,
  contextHash,
  type Decision,
  type Evidence,
  evidence as evidenceSchema,
  fromBase64url,
  hash,
  ProtocolError,
  parse,
  parseManifest,
  parsePairingStatement,
  parseStatement,
  parseStrict,
  render,
  type Site,
  thumbprint,
  type VerifiedChain,
  verifyApproval,
  verifyChain,
  verifyDenial,
  verifyLogged,
  verifyPairingSignatures,
  verifyRequestObject,
  viewHash,
} from "@countersign/shared";
import { siteOf } from "../../client/site.js";
import { rootKeyOf, type Trust } from "./trust.js";

export interface EvidenceReport {
  rid: string;
  agent: string;
  decision: "approved" | "denied";
  by: { approver: string; rootKey: string; deviceKid: string; reason?: string }[];
  /** Entries of the log that all of it is under. */
  logSize: number;
  /** Whether the action is with it, so that what was shown could be compared with what was signed. */
  hasAction: boolean;
}

interface Case {
  evidence: Evidence;
  request: AuthorizationRequest;
  site: Site;
  trust: Trust;
}

/**
 * Judges evidence offline, by nothing but the keys that are trusted.
 * @throws ProtocolError with the doubt as `code`, and what it is about as `reason`
 */
export async function verifyEvidenceFile(
  octets: Uint8Array,
  trust: Trust,
): Promise<EvidenceReport> {
  const given = parse(evidenceSchema, parseStrict(octets));
  return verifyEvidenceOffline(given, trust);
}

export async function verifyEvidenceOffline(
  evidence: Evidence,
  trust: Trust,
): Promise<EvidenceReport> {
  const request = await verifyRequestObject(evidence.request, evidence.agent_jwk);
  const site = readSite(request.claims.aud);
  const about: Case = { evidence, request, site, trust };
  const view = readView(about);
  const by: (EvidenceReport["by"][number] & { credentialKid?: string })[] = [];
  for (const decision of evidence.decisions) {
    const chain = await chainOf(approverOf(decision), about);
    by.push(await verifyDecision(decision, chain, view, about));
  }
  const denials = evidence.decisions.flatMap(({ decision }, at) => (decision === "deny" ? at : []));
  if (denials.length === 0) requireQuorum(by, request);
  const logSize = await requireLogged(about);
  const counted = denials.length > 0 ? denials.map((at) => by[at]) : by;
  return {
    rid: request.rid,
    agent: request.claims.iss,
    decision: denials.length > 0 ? "denied" : "approved",
    by: counted.flatMap((each) => {
      if (!each) return [];
      const { credentialKid: _, ...told } = each;
      return told;
    }),
    logSize,
    hasAction: view !== undefined,
  };
}

function readSite(issuer: string): Site {
  try {
    return siteOf(issuer);
  } catch (cause) {
    throw new ProtocolError("invalid_binding", { cause, reason: "issuer" });
  }
}

/** What an honest phone showed, where the action is with the evidence. */
function readView({ evidence, request }: Case): string | undefined {
  if (evidence.manifest === undefined) return undefined;
  const bytes = fromBase64url(evidence.manifest);
  if (contextHash(bytes) !== request.detail.ctx) {
    throw new ProtocolError("invalid_binding", { reason: "manifest" });
  }
  const manifest = parseManifest(bytes);
  return viewHash(render(manifest, request), manifest.salt);
}

/** The approver's chain, from a root that is pinned, and a pairing of theirs with this agent and this log. */
async function chainOf(approver: string, about: Case): Promise<VerifiedChain> {
  const { evidence, site, trust } = about;
  for (const links of evidence.chains) {
    const chain = await verifyChain(links, { site, approver }).catch((error: unknown) => {
      // Of another approver.
      if (error instanceof ProtocolError && error.reason === "approver") return undefined;
      throw error;
    });
    if (!chain) continue;
    if (!trust.isPinned(chain)) {
      throw new ProtocolError("invalid_binding", { reason: "approver_not_pinned" });
    }
    await requirePaired(chain, about);
    return chain;
  }
  throw new ProtocolError("chain_invalid", { reason: "missing" });
}

async function requirePaired(chain: VerifiedChain, about: Case): Promise<void> {
  const { evidence, request, trust } = about;
  for (const acceptance of evidence.pairings) {
    const bytes = fromBase64url(acceptance.statement);
    const paired = parsePairingStatement(bytes);
    if (paired.approver !== chain.approver || paired.agent_jkt !== request.claims.iss) continue;
    await verifyPairingSignatures(paired, bytes, acceptance);
    const own =
      chain.heads[paired.chain.seq] === paired.chain.head && paired.log_key === trust.logKey;
    if (own) return;
  }
  throw new ProtocolError("invalid_binding", { reason: "pairing" });
}

async function verifyDecision(
  decision: Decision,
  chain: VerifiedChain,
  view: string | undefined,
  { evidence, request, site }: Case,
) {
  const { approver, live } = chain;
  const devices = live.devices.map(({ sig_jwk }) => sig_jwk);
  const keys = { approver, credentials: live.credentials, devices };
  const rootKey = rootKeyOf(chain);
  if (decision.decision === "deny") {
    const { approvers } = request.detail;
    const agentJkt = request.claims.iss;
    const expected = { issuer: site.issuer, rid: request.rid, agentJkt, approvers };
    const { device_kid: deviceKid, reason } = await verifyDenial(decision, expected, keys);
    return { approver, rootKey, deviceKid, ...(reason === undefined ? {} : { reason }) };
  }
  const shown = view ?? parseStatement(fromBase64url(decision.statement)).view_hash;
  const context = { site, request, viewHash: shown, reqNonce: evidence.req_nonce };
  const { device_kid: deviceKid } = await verifyApproval(decision, context, keys);
  const credential = live.credentials.find(({ id }) => id === decision.assertion.id);
  if (!credential) throw new ProtocolError("credential_unknown");
  return { approver, rootKey, deviceKid, credentialKid: thumbprint(credential.jwk) };
}

function requireQuorum(
  by: readonly { approver: string; deviceKid: string; credentialKid?: string }[],
  { detail }: AuthorizationRequest,
): void {
  const distinct = [
    new Set(by.map(({ approver }) => approver)),
    new Set(by.map(({ deviceKid }) => deviceKid)),
    new Set(by.map(({ credentialKid }) => credentialKid)),
  ];
  const twice = distinct.some(({ size }) => size !== by.length);
  if (twice || by.length < detail.quorum) {
    throw new ProtocolError("invalid_binding", { reason: "quorum" });
  }
}

/** Each decision's very leaf is in the log. @returns the size of the largest tree that shows it */
async function requireLogged({ evidence, request, trust }: Case): Promise<number> {
  const sizes = evidence.decisions.map(async ({ decision, statement }) => {
    const digest = hash(decision, fromBase64url(statement));
    const leaf = evidence.leaves.find(
      ({ record }) =>
        record.kind === decision && record.rid === request.rid && record.digest === digest,
    );
    if (leaf?.proof === undefined) throw new ProtocolError("log_invalid", { reason: decision });
    return (await verifyLogged(leaf.record, leaf.proof, trust.logKey)).size;
  });
  return Math.max(0, ...(await Promise.all(sizes)));
}
