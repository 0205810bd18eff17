/**
 * Who may call a route, and by what they prove it:
 * `public`: anybody, and it says the same to all; `client`: an agent, by `private_key_jwt`; `agent`: an agent, by a
 * DPoP-bound token; `auditor`: who reads the log's records and nothing else, by a token; `key`: whoever holds an agent's key, by a DPoP proof; `session`: a signed-in approver;
 * `carried`: whoever holds what the call itself carries, a secret or a signature, and nothing of anybody else's.
 */
type Access = "public" | "client" | "agent" | "key" | "session" | "auditor" | "carried";

/** Every route there is. The server does not start with one that is not here. */
export const access: Readonly<Record<string, Access>> = {
  "GET /healthz": "public",
  "GET /readyz": "public",
  "GET /.well-known/openid-configuration": "public",
  "GET /.well-known/oauth-authorization-server": "public",
  "GET /jwks": "public",
  "GET /log/checkpoint": "public",
  "GET /log/tile/*": "public",
  "GET /log/records": "auditor",
  // The web app.
  "GET /*": "public",

  "POST /bc-authorize": "client",
  "POST /token": "client",

  "POST /v1/pairings": "key",
  "GET /v1/pairings/:id": "key",
  "POST /v1/pairings/:id/reveal": "key",
  "POST /v1/pairings/:id/confirm": "key",
  "DELETE /v1/pairings/:id": "key",

  "PUT /v1/contexts/:sha256": "agent",
  "GET /v1/requests/:rid": "agent",
  "POST /v1/requests/:rid/cancel": "agent",
  "POST /v1/requests/:rid/outcome": "agent",
  "GET /v1/requests/:rid/evidence": "agent",
  "GET /v1/approvers/:approver/chain": "agent",
  "GET /v1/events": "agent",

  "GET /app/site": "carried",
  "POST /app/nonces": "public",
  "POST /app/invitations/check": "carried",
  "POST /app/approvers": "carried",
  "POST /app/session": "carried",
  "DELETE /app/session": "carried",
  "POST /app/links": "carried",
  "GET /app/links/:id": "carried",
  "POST /app/recoveries": "carried",
  "POST /app/recoveries/completion": "carried",
  "POST /app/push/receipts": "carried",

  "GET /app/me": "session",
  "POST /app/invitations": "session",
  "GET /app/keys": "session",
  "POST /app/keys": "session",
  "PUT /app/agents/:clientId/freeze": "session",
  "GET /app/recovery": "session",
  "POST /app/recovery": "session",
  "GET /app/requests": "session",
  "GET /app/requests/:rid": "session",
  "GET /app/requests/:rid/times": "session",
  "GET /app/requests/:rid/context": "session",
  "GET /app/requests/:rid/contexts/:sha256": "session",
  "POST /app/requests/:rid/ceremony": "session",
  "POST /app/requests/:rid/decisions": "session",
  "GET /app/oversight": "session",
  "GET /app/events": "session",
  "GET /app/agents": "session",
  "DELETE /app/agents/:clientId": "session",
  "GET /app/pairings/:id": "session",
  "POST /app/pairings/:id/acceptance": "session",
  "GET /app/push": "session",
  "POST /app/push/subscription": "session",
  "DELETE /app/push/subscription": "session",
  "POST /app/push/test": "session",
  "DELETE /app/push/alerts/:rid": "session",
};

/** @throws Error for a route that does not say who may call it */
export function requireDeclared(routes: readonly { method: string; path: string }[]): void {
  // Middleware is registered for all methods, and so is what answers "not found".
  for (const { method, path } of routes.filter((route) => route.method !== "ALL")) {
    if (!Object.hasOwn(access, `${method} ${path}`)) {
      throw new Error(`${method} ${path} is not in http/access.ts: say there who may call it.`);
    }
  }
}
