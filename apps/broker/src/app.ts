import { Hono } from "hono";
import type { Broker } from "./broker.js";
import { limits } from "./domain/limits.js";
import { requireDeclared } from "./http/access.js";
import { accountRoutes } from "./http/account-routes.js";
import { agentRoutes } from "./http/agent-routes.js";
import { appRoutes } from "./http/app-routes.js";
import type { HttpEnv } from "./http/context.js";
import { discoveryRoutes } from "./http/discovery-routes.js";
import { createErrorHandler } from "./http/errors.js";
import {
  clientAddress,
  limitBody,
  limitFailures,
  requireHost,
  securityHeaders,
} from "./http/guards.js";
import { healthRoutes } from "./http/health-routes.js";
import { keysRoutes } from "./http/keys-routes.js";
import { createFailureLimit, createRateLimits } from "./http/limits.js";
import { logRoutes } from "./http/log-routes.js";
import { oauthRoutes } from "./http/oauth-routes.js";
import { pairingRoutes } from "./http/pairing-routes.js";
import { requireSameOrigin } from "./http/person-auth.js";
import { pushRoutes } from "./http/push-routes.js";
import { webApp } from "./http/web-app.js";

export interface AppOptions {
  /** Where the built web app lies; without it only the API answers. */
  webAppDirectory?: string | undefined;
  trustedProxies: readonly string[];
}

/** The HTTP surface: a line for each group of routes. */
export function createApp(broker: Broker, options: AppOptions): Hono<HttpEnv> {
  const rates = createRateLimits(broker);
  const { notFound, onError } = createErrorHandler(broker.log);
  const secure = broker.site.origin.startsWith("https:");
  const app = new Hono<HttpEnv>();

  app.notFound(notFound);
  app.onError(onError);
  app.use(securityHeaders(secure));
  app.route("/", healthRoutes(broker));
  app.use(requireHost(broker.site.origin));
  app.use(clientAddress(options.trustedProxies));
  const failures = createFailureLimit(broker.db);
  for (const path of ["/token", "/bc-authorize", "/v1/*"]) app.use(path, limitFailures(failures));
  app.use("/app/*", limitBody(limits.bodyBytes), async (c, next) => {
    requireSameOrigin(broker, c);
    await next();
  });
  app.use("/v1/pairings/*", limitBody(limits.bodyBytes));
  app.use("/v1/requests/*", limitBody(limits.bodyBytes));
  app.use("/token", limitBody(limits.bodyBytes));
  app.use("/bc-authorize", limitBody(limits.bodyBytes));

  app.route("/", discoveryRoutes(broker));
  app.route("/log", logRoutes(broker, rates, failures));
  app.route("/", oauthRoutes(broker, rates));
  app.route("/v1/pairings", pairingRoutes(broker, rates));
  app.route("/v1", agentRoutes(broker, rates));
  app.route("/app", accountRoutes(broker, rates));
  app.route("/app", keysRoutes(broker, rates));
  app.route("/app", appRoutes(broker, rates));
  app.route("/app/push", pushRoutes(broker, rates));
  app.all("/app/*", notFound);
  app.all("/v1/*", notFound);
  app.all("/log/*", notFound);
  if (options.webAppDirectory !== undefined) app.route("/", webApp(options.webAppDirectory));
  requireDeclared(app.routes);
  return app;
}
