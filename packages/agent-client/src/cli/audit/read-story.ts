import { type Evidence, ProtocolError, toBase64url } from "@countersign/shared";
import type { ClientContext } from "../../client/context.js";
import { readOwnRequest } from "../../client/own-request.js";
import { ClientError } from "../../errors.js";
import { type Story, tellStory } from "./story.js";
import { readTrust } from "./trust.js";
import { verifyEvidenceOffline } from "./verify-evidence.js";

export interface ReadStory {
  story: Story;
  /** With the action in it: all that proves the story to somebody else. */
  evidence?: Evidence;
  /** Why nothing is told of what people did: the broker has no evidence to give, or it proves nothing. */
  doubt?: { isForged: boolean; code: string };
}

/**
 * A request of this agent's, with the broker's evidence where that proves something to this agent.
 * @throws ClientError `unknown_request`, `home_corrupt`
 */
export async function readStory(
  { journal, key, site, broker }: ClientContext,
  home: string,
  rid: string,
): Promise<ReadStory> {
  const entry = await journal.read(rid);
  if (!entry) throw new ClientError("unknown_request", { detail: rid });
  const own = await readOwnRequest(entry.request, key, site);
  const answer = await broker.evidence(rid);
  // Nobody decided, or nobody has yet: there is nothing to prove.
  if (!answer.ok && answer.code === "not_redeemed") return { story: tellStory(own, entry) };
  if (!answer.ok) {
    return { story: tellStory(own, entry), doubt: { isForged: false, code: answer.code } };
  }
  const evidence = { ...answer.value, manifest: toBase64url(own.manifestBytes) };
  try {
    if (evidence.request !== own.jws) throw new ProtocolError("invalid_binding");
    await verifyEvidenceOffline(evidence, await readTrust({ home }));
    return { story: tellStory(own, entry, evidence), evidence };
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return { story: tellStory(own, entry), doubt: { isForged: true, code: error.code } };
  }
}
