import { type LogRecords, parse } from "@countersign/shared";
import { Hono } from "hono";
import * as z from "zod/mini";
import type { Broker } from "../broker.js";
import { listRecords } from "../db/auditors.js";
import { currentCheckpoint } from "../log/checkpoint.js";
import { readTile } from "../log/tiles.js";
import { authenticateAuditor } from "./auditor-auth.js";
import type { HttpEnv } from "./context.js";
import { limitFailures } from "./guards.js";
import type { FailureLimit, RateLimits } from "./limits.js";

const forever = "public, max-age=31536000, immutable";

const place = z.int().check(z.minimum(0));

/** The log, for everybody: it holds salted hashes and nothing else; the records behind them, for auditors. @see c2sp.org/tlog-tiles */
export function logRoutes(
  broker: Broker,
  rates: RateLimits,
  failures: FailureLimit,
): Hono<HttpEnv> {
  return new Hono<HttpEnv>()
    .use(async (c, next) => {
      await rates.log(c.get("clientAddress"));
      await next();
    })
    .use("/records", limitFailures(failures))
    .get("/records", async (c) => {
      await rates.auditor(await authenticateAuditor(broker, c));
      const from = parse(place, Number(c.req.query("from") ?? "0"));
      const page: LogRecords = await listRecords(broker.db, from);
      return c.json(page, 200, { "cache-control": "no-store" });
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
