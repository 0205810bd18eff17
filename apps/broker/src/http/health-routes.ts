import { Hono } from "hono";
import type { Broker } from "../broker.js";
import { readHealth } from "../db/settings.js";
import type { HttpEnv } from "./context.js";

/** For whoever watches the process. Public: says no more than up or not. */
export function healthRoutes(broker: Broker): Hono<HttpEnv> {
  return new Hono<HttpEnv>()
    .get("/healthz", (c) => c.json({ status: "ok" }))
    .get("/readyz", async (c) => {
      await readHealth(broker.db);
      return c.json({ status: "ready" });
    });
}
