import {
  type Bytes,
  type Decision,
  fromBase64url,
  ProtocolError,
  parseDenial,
  parseStatement,
  type RequestDetail,
  toBase64url,
  verifyDeviceSignature,
} from "@countersign/shared";
import { nowSeconds } from "../clock.js";
import type { SignedIn } from "../session.js";
import type { Opened } from "./opened.js";

/**
 * What this phone can prove of a request, as a file: the agent's signed request under the key that this phone
 * paired with, what it opened, and the decisions. Made here, from what was checked here; what could not be
 * checked stands apart and says so. Null where not even the request could be verified.
 */
export async function evidenceFile(
  { rid, verdict, reqNonce }: Opened,
  detail: Pick<RequestDetail, "request" | "state" | "decisions" | "outcomes">,
  own: SignedIn,
): Promise<{ name: string; text: string } | null> {
  const { agent, request } = verdict;
  if (!agent || !request) return null;
  const judged = await Promise.all(
    detail.decisions.map(async (decision) => ({
      decision,
      verified: await isOwn(decision, { rid, arHash: request.arHash, own }),
    })),
  );
  const of = (verified: boolean) =>
    judged.filter((one) => one.verified === verified).map((one) => one.decision);
  const file = {
    v: 1,
    kind: "countersign-evidence-of-one-phone",
    saved_at: nowSeconds(),
    issuer: own.site.issuer,
    approver: own.approver,
    rid,
    verified_on_this_phone: {
      agent_jwk: agent.jwk,
      request: detail.request,
      ...(verdict.kind === "verified"
        ? {
            manifest: toBase64url(verdict.manifestBytes),
            view: verdict.view,
            view_hash: verdict.viewHash,
          }
        : {}),
      own_decisions: of(true),
    },
    by_the_server_alone: {
      state: detail.state,
      req_nonce: reqNonce,
      other_decisions: of(false),
    },
    signed_by_the_agent: { outcomes: detail.outcomes },
  };
  return { name: `countersign-${rid}.json`, text: `${JSON.stringify(file, null, 2)}\n` };
}

/** Made by this very device, about this very request. */
async function isOwn(
  given: Decision,
  { rid, arHash, own }: { rid: string; arHash: string; own: SignedIn },
): Promise<boolean> {
  if (!own.device) return false;
  try {
    const bytes = fromBase64url(given.statement);
    if (!isAbout(given, bytes, { rid, arHash, kid: own.device.kid })) return false;
    const key = own.device.publicKeys.sig_jwk;
    await verifyDeviceSignature(given.decision, bytes, given.device_signature, key);
    return true;
  } catch (error) {
    if (error instanceof ProtocolError) return false;
    throw error;
  }
}

function isAbout(
  given: Decision,
  bytes: Bytes,
  expected: { rid: string; arHash: string; kid: string },
): boolean {
  if (given.decision === "deny") {
    const denial = parseDenial(bytes);
    return denial.rid === expected.rid && denial.device_kid === expected.kid;
  }
  const statement = parseStatement(bytes);
  return statement.ar_hash === expected.arHash && statement.device_kid === expected.kid;
}

/** Gives a text to the browser to keep. Nothing leaves the device. */
export function saveFile({ name, text }: { name: string; text: string }): void {
  const url = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
