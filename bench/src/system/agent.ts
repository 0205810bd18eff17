import {
  type Evidence,
  evidence as evidenceSchema,
  parse,
  parseManifest,
} from "@countersign/shared";
import type { OwnRequest } from "../../../packages/agent-client/src/client/own-request.js";
import { verifyEvidence } from "../../../packages/agent-client/src/client/verify.js";
import type { Pin } from "../../../packages/agent-client/src/home/pins.js";
import type { Pair } from "./pairs.js";
import type { PreparedRequest } from "./request.js";

/** What the SDK keeps about the approver whom a pair's agent is paired with. */
export const pinOf = ({ site, approver, acceptance, authenticator, device, chain }: Pair): Pin => ({
  v: 1,
  approver,
  name: "Ada",
  issuer: site.issuer,
  pairing_id: chain.head,
  paired_at: 0,
  acceptance,
  credentials: [authenticator.credential],
  devices: [device.keys],
  chain,
});

export const ownRequestOf = (given: PreparedRequest, reqNonce: string): OwnRequest => ({
  rid: given.rid,
  site: given.pair.site,
  agent: { kid: given.pair.agent.clientId, jwk: given.pair.agent.jwk },
  jws: given.jws,
  request: given.request,
  manifest: parseManifest(given.manifestBytes),
  manifestBytes: given.manifestBytes,
  viewHash: given.viewHash,
  reqNonce,
});

/** The SDK's own verification. @throws when it is not an approval */
export async function requireApproval(
  evidence: Evidence,
  own: OwnRequest,
  pin: Pin,
): Promise<void> {
  const verdict = await verifyEvidence(evidence, own, [pin]);
  if (verdict.verdict !== "approved") throw new Error(JSON.stringify(verdict));
}

export const readEvidence = (answer: { evidence: unknown }): Evidence =>
  parse(evidenceSchema, answer.evidence);
