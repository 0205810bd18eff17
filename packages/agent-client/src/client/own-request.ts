import {
  type AuthorizationRequest,
  type Bytes,
  contextHash,
  fromBase64url,
  type Manifest,
  parseManifest,
  render,
  type Site,
  verifyRequestObject,
  viewHash,
} from "@countersign/shared";
import { ClientError } from "../errors.js";
import type { AgentKey } from "../home/agent-key.js";
import type { RequestRecord } from "../journal/records.js";

/** What this agent knows of its request by itself: the measure for everything that comes back. */
export interface OwnRequest {
  rid: string;
  site: Site;
  agent: Pick<AgentKey, "kid" | "jwk">;
  /** AR, the compact JWS. */
  jws: string;
  request: AuthorizationRequest;
  manifest: Manifest;
  manifestBytes: Bytes;
  /** Of the agent's own render. */
  viewHash: string;
  reqNonce: string;
}

/**
 * A request as it stands in the journal, held to its own hashes and to the agent's own signature.
 * @throws ClientError `home_corrupt`
 */
export async function readOwnRequest(
  record: RequestRecord,
  agent: Pick<AgentKey, "kid" | "jwk">,
  site: Site,
): Promise<OwnRequest> {
  try {
    const request = await verifyRequestObject(record.request, agent.jwk);
    const manifestBytes = fromBase64url(record.manifest);
    const manifest = parseManifest(manifestBytes);
    const sound =
      request.rid === record.rid &&
      request.claims.aud === site.issuer &&
      contextHash(manifestBytes) === request.detail.ctx;
    if (!sound) throw new ClientError("home_corrupt", { detail: record.rid });
    return {
      rid: record.rid,
      site,
      agent,
      jws: record.request,
      request,
      manifest,
      manifestBytes,
      viewHash: viewHash(render(manifest, request), manifest.salt),
      reqNonce: record.req_nonce,
    };
  } catch (cause) {
    throw new ClientError("home_corrupt", { cause, detail: record.rid });
  }
}
