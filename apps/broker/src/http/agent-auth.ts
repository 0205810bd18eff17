import { ProtocolError } from "@countersign/shared";
import type { AuthenticatedAgent } from "../authorization.js";
import type { Broker } from "../broker.js";
import { useAgentProof, useProofs } from "../db/sessions.js";
import type { KeyHolder } from "../pairing.js";
import type { HttpContext } from "./context.js";
import { verifyClientAssertion, verifyDpop } from "./proofs.js";
import { verifyClientToken } from "./tokens.js";

/** `private_key_jwt` alone: CIBA clients send no DPoP proof to `/bc-authorize`. */
export async function authenticateClient(
  broker: Broker,
  form: ReadonlyMap<string, string>,
): Promise<AuthenticatedAgent> {
  const { clientId, jwk, used } = await verifyClientAssertion(broker, form);
  if (!(await useProofs(broker.db, [used], clientId))) throw replayed("invalid_client");
  return { clientId, jwk };
}

/** `private_key_jwt` and a DPoP proof by the same key: `/token`. */
export async function authenticateForToken(
  broker: Broker,
  c: HttpContext,
  form: ReadonlyMap<string, string>,
): Promise<AuthenticatedAgent> {
  const { clientId, jwk, used } = await verifyClientAssertion(broker, form);
  const proof = await verifyDpop(broker, c.req.header("dpop"), {
    method: c.req.method,
    path: c.req.path,
  });
  if (proof.jkt !== clientId) {
    throw new ProtocolError("invalid_dpop_proof", { reason: "another key" });
  }
  if (!(await useProofs(broker.db, [used, proof.used]))) throw replayed("invalid_client");
  return { clientId, jwk };
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
  const used = await useAgentProof(broker.db, clientId, proof.used);
  if (!used) throw new ProtocolError("invalid_client");
  if (!used.fresh) throw replayed("invalid_dpop_proof");
  return { clientId, jwk: used.jwk };
}

/** A DPoP proof alone: pairings, where nobody is known yet. */
export async function authenticateKey(broker: Broker, c: HttpContext): Promise<KeyHolder> {
  const proof = await verifyDpop(broker, c.req.header("dpop"), {
    method: c.req.method,
    path: c.req.path,
  });
  if (!(await useProofs(broker.db, [proof.used]))) throw replayed("invalid_dpop_proof");
  return { jkt: proof.jkt };
}

const replayed = (code: "invalid_client" | "invalid_dpop_proof"): ProtocolError =>
  new ProtocolError(code, { reason: "replayed" });
