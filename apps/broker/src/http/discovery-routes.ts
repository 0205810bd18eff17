import { authorizationDetailsType, renderers } from "@countersign/shared";
import { Hono } from "hono";
import type { Broker } from "../broker.js";
import type { HttpEnv } from "./context.js";

/** What standard clients read before anything else (OpenID Connect Discovery, RFC 8414, CIBA 4). Public. */
export function discoveryRoutes(broker: Broker): Hono<HttpEnv> {
  const { issuer } = broker.site;
  const metadata = {
    issuer,
    token_endpoint: `${issuer}/token`,
    backchannel_authentication_endpoint: `${issuer}/bc-authorize`,
    jwks_uri: `${issuer}/jwks`,
    backchannel_token_delivery_modes_supported: ["poll"],
    backchannel_authentication_request_signing_alg_values_supported: ["ES256"],
    backchannel_user_code_parameter_supported: false,
    grant_types_supported: ["urn:openid:params:grant-type:ciba", "client_credentials"],
    token_endpoint_auth_methods_supported: ["private_key_jwt"],
    token_endpoint_auth_signing_alg_values_supported: ["ES256"],
    dpop_signing_alg_values_supported: ["ES256"],
    id_token_signing_alg_values_supported: ["ES256"],
    subject_types_supported: ["public"],
    response_types_supported: [],
    scopes_supported: ["openid"],
    authorization_details_types_supported: [authorizationDetailsType],
    renderers_supported: [...renderers],
  };
  const { x, y } = broker.signingKey.publicJwk;
  const jwk = {
    kty: "EC",
    crv: "P-256",
    x,
    y,
    kid: broker.signingKey.kid,
    alg: "ES256",
    use: "sig",
  };
  return new Hono<HttpEnv>()
    .get("/.well-known/openid-configuration", (c) => c.json(metadata))
    .get("/.well-known/oauth-authorization-server", (c) => c.json(metadata))
    .get("/jwks", (c) => c.json({ keys: [jwk] }));
}
