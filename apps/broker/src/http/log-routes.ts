import { Hono } from "hono";
import type { Broker } from "../broker.js";
import { currentCheckpoint } from "../log/checkpoint.js";
import { readTile } from "../log/tiles.js";
import type { HttpEnv } from "./context.js";
import type { RateLimits } from "./limits.js";

const forever = "public, max-age=31536000, immutable";

/** The log, for everybody: it holds salted hashes and nothing else. @see c2sp.org/tlog-tiles */
export function logRoutes(broker: Broker, rates: RateLimits): Hono<HttpEnv> {
  return new Hono<HttpEnv>()
    .use(async (c, next) => {
      await rates.log(c.get("clientAddress"));
      await next();
    })
    .get("/checkpoint", async (c) => {
      const { note } = await currentCheckpoint(broker.db, broker.logKey);
      return c.body(note, 200, {
        "content-type": "text/plain; charset=utf-8",
        "cache-control": "no-store",
      });
    })
    .get("/tile/*", async (c) => {
      const path = c.req.path.slice(c.req.path.indexOf("/tile/") + 1);
      return c.body(await readTile(broker.db, path), 200, {
        "content-type": "application/octet-stream",
        "cache-control": forever,
      });
    });
}
