import { ProtocolError, thumbprint } from "@countersign/shared";
import type { AuthenticatedAgent } from "../authorization.js";
import type { Broker } from "../broker.js";
import { useAgentProofs, useProof } from "../db/sessions.js";
import type { KeyHolder } from "../pairing.js";
import type { HttpContext } from "./context.js";
import { type UsedProof, verifyClientAssertion, verifyDpop } from "./proofs.js";
import { verifyClientToken } from "./tokens.js";

/** `private_key_jwt` alone: CIBA clients send no DPoP proof to `/bc-authorize`. */
export async function authenticateClient(
  broker: Broker,
  form: ReadonlyMap<string, string>,
): Promise<AuthenticatedAgent> {
  const { clientId, used } = await verifyClientAssertion(broker, form);
  return requireFresh(broker, { clientId, proofs: [used], seen: true }, "invalid_client");
}

/** `private_key_jwt` and a DPoP proof by the same key: `/token`. */
export async function authenticateForToken(
  broker: Broker,
  c: HttpContext,
  form: ReadonlyMap<string, string>,
): Promise<AuthenticatedAgent> {
  const { clientId, used } = await verifyClientAssertion(broker, form);
  const proof = await verifyDpop(broker, c.req.header("dpop"), {
    method: c.req.method,
    path: c.req.path,
  });
  if (proof.jkt !== clientId) {
    throw new ProtocolError("invalid_dpop_proof", { reason: "another key" });
  }
  return requireFresh(broker, { clientId, proofs: [used, proof.used] }, "invalid_client");
}

/** A DPoP-bound access token: everything under `/v1` but pairings. */
export async function authenticateAgent(
  broker: Broker,
  c: HttpContext,
): Promise<AuthenticatedAgent> {
  const [scheme = "", token = ""] = (c.req.header("authorization") ?? "").split(" ");
  if (scheme.toLowerCase() !== "dpop" || token === "") throw new ProtocolError("invalid_token");
  const clientId = await verifyClientToken(broker, token);
  const proof = await verifyDpop(broker, c.req.header("dpop"), {
    method: c.req.method,
    path: c.req.path,
    accessToken: token,
  });
  if (proof.jkt !== clientId) {
    throw new ProtocolError("invalid_dpop_proof", { reason: "another key" });
  }
  return requireFresh(broker, { clientId, proofs: [proof.used] }, "invalid_dpop_proof");
}

/** Somebody is still paired with the agent, and nothing of what it proved itself with was used before. */
async function requireFresh(
  { db }: Broker,
  given: { clientId: string; proofs: readonly UsedProof[]; seen?: true },
  code: ReplayCode,
): Promise<AuthenticatedAgent> {
  const used = await useAgentProofs(db, given);
  // A name is its own key's, whatever the database says.
  if (!used || thumbprint(used.jwk) !== given.clientId) throw new ProtocolError("invalid_client");
  if (!used.fresh) throw replayed(code);
  return { clientId: given.clientId, jwk: used.jwk };
}

/** A DPoP proof alone: pairings, where nobody is known yet. */
export async function authenticateKey(broker: Broker, c: HttpContext): Promise<KeyHolder> {
  const proof = await verifyDpop(broker, c.req.header("dpop"), {
    method: c.req.method,
    path: c.req.path,
  });
  if (!(await useProof(broker.db, proof.used))) throw replayed("invalid_dpop_proof");
  return { jkt: proof.jkt };
}

type ReplayCode = "invalid_client" | "invalid_dpop_proof";

const replayed = (code: ReplayCode): ProtocolError =>
  new ProtocolError(code, { reason: "replayed" });
