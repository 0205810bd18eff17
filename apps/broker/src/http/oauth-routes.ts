import { approverOf, type Evidence, ProtocolError, readRequestObject } from "@countersign/shared";
import { Hono } from "hono";
import { type AuthenticatedAgent, requestAuthorization } from "../authorization.js";
import type { Broker } from "../broker.js";
import type { RequestRow } from "../db/request-reads.js";
import { limits } from "../domain/limits.js";
import { topics } from "../domain/ports.js";
import { type Redemption, redeem } from "../redemption.js";
import { authenticateClient, authenticateForToken } from "./agent-auth.js";
import { type HttpContext, type HttpEnv, readForm } from "./context.js";
import { oauthError } from "./errors.js";
import type { RateLimits } from "./limits.js";
import { issueAccessToken, issueIdToken } from "./tokens.js";
import { longPoll } from "./wait.js";

const cibaGrant = "urn:openid:params:grant-type:ciba";

/** The OAuth endpoints: CIBA in poll mode with signed requests, DPoP and `private_key_jwt`. */
export function oauthRoutes(broker: Broker, rates: RateLimits): Hono<HttpEnv> {
  /** The poll that waits for a request at the moment. A second one takes its place. */
  const polls = new Map<string, AbortController>();

  async function authorize(c: HttpContext): Promise<Response> {
    const form = await readForm(c);
    const agent = await authenticateClient(broker, form);
    await rates.agent(agent.clientId);
    const jws = form.get("request");
    if (jws === undefined) throw new ProtocolError("invalid_request");
    const { rid, reqNonce, expiresInSeconds } = await requestAuthorization(broker, agent, jws);
    return c.json({
      auth_req_id: rid,
      expires_in: expiresInSeconds,
      interval: 1,
      req_nonce: reqNonce,
    });
  }

  async function token(c: HttpContext): Promise<Response> {
    const form = await readForm(c);
    const agent = await authenticateForToken(broker, c, form);
    await rates.agent(agent.clientId);
    switch (form.get("grant_type")) {
      case "client_credentials":
        return c.json(
          issueAccessToken(broker, {
            clientId: agent.clientId,
            scope: "client",
            subject: agent.clientId,
          }),
        );
      case cibaGrant:
        return poll(c, agent, form.get("auth_req_id"));
      default:
        return oauthError({ error: "unsupported_grant_type", code: "invalid_request" });
    }
  }

  async function poll(
    c: HttpContext,
    agent: AuthenticatedAgent,
    rid: string | undefined,
  ): Promise<Response> {
    if (rid === undefined) throw new ProtocolError("invalid_request");
    const mine = new AbortController();
    const key = `${agent.clientId} ${rid}`;
    polls.get(key)?.abort();
    polls.set(key, mine);
    const signal = AbortSignal.any([c.req.raw.signal, mine.signal]);
    const idempotencyKey = c.req.header("idempotency-key");
    let seen: RequestRow | undefined;
    try {
      const found = await longPoll(
        broker,
        topics.request(rid),
        signal,
        limits.longPollSeconds * 1000,
        // A redemption happens once: only for a caller who is still there to hear of it.
        async (hinted): Promise<Redemption> => {
          if (signal.aborted) return { state: "pending" };
          const given = { rid, idempotencyKey, seen: hinted ? seen : undefined };
          const now = await redeem(broker, agent, given);
          if (now.state === "pending") seen = now.request;
          return now;
        },
        ({ state }) => state !== "pending",
      );
      if (found.state === "pending" && mine.signal.aborted) {
        return oauthError({ error: "slow_down", code: "poll_replaced" });
      }
      return tokenResponse(c, broker, agent, found);
    } catch (error) {
      if (error instanceof ProtocolError && error.code === "not_found") {
        return oauthError({ error: "invalid_grant", code: "not_found" });
      }
      throw error;
    } finally {
      if (polls.get(key) === mine) polls.delete(key);
    }
  }

  return new Hono<HttpEnv>().post("/bc-authorize", authorize).post("/token", token);
}

/** Whom the tokens are about: somebody who really approved, not who was merely asked first. */
function firstToApprove({ decisions }: Evidence): string {
  const approval = decisions.find((given) => given.decision === "approve");
  if (!approval) throw new ProtocolError("internal", { reason: "redeemed without an approval" });
  return approverOf(approval);
}

/** CIBA 10.1.1 and 11: what each state means to the agent's poll (protocol section 4). */
function tokenResponse(
  c: HttpContext,
  broker: Broker,
  { clientId }: AuthenticatedAgent,
  found: Redemption,
): Response {
  switch (found.state) {
    case "pending":
      return oauthError({ error: "authorization_pending", code: "authorization_pending" });
    case "denied":
      return found.freeze
        ? oauthError({ error: "access_denied", code: "frozen", freeze: found.freeze })
        : oauthError({ error: "access_denied", code: "denied", decision: found.decision });
    case "canceled":
      return oauthError({ error: "access_denied", code: "canceled" });
    case "withdrawn":
      return oauthError({ error: "access_denied", code: "forbidden" });
    case "expired":
      return oauthError({ error: "expired_token", code: "expired" });
    case "used":
      return oauthError({ error: "invalid_grant", code: "already_settled" });
    case "redeemed": {
      const { rid, request } = found.request;
      const { detail } = readRequestObject(request);
      const approver = firstToApprove(found.evidence);
      return c.json({
        ...issueAccessToken(broker, { clientId, scope: "approval", subject: approver }),
        id_token: issueIdToken(broker, { clientId, approver, rid }),
        authorization_details: [detail],
        evidence: found.evidence,
      });
    }
  }
}
