import { id, ProtocolError, parse, pushReceipt, pushSubscription } from "@countersign/shared";
import { Hono } from "hono";
import type { Broker } from "../broker.js";
import { deleteSubscription, settlePush } from "../db/pushes.js";
import { describePush, type OpenSession, receiveTest, sendTest, subscribe } from "../push.js";
import { type HttpContext, type HttpEnv, readJson } from "./context.js";
import type { RateLimits } from "./limits.js";
import { authenticatePerson, sessionHash } from "./person-auth.js";

/** `/app/push`: where this browser can be reached, and whether that works. */
export function pushRoutes(broker: Broker, rates: RateLimits): Hono<HttpEnv> {
  const sessionOf = async (c: HttpContext): Promise<OpenSession> => {
    const { approver } = await authenticatePerson(broker, c);
    await rates.approver(approver);
    const hash = sessionHash(c);
    if (hash === undefined) throw new ProtocolError("unauthenticated");
    return { approver, sessionHash: hash };
  };

  return new Hono<HttpEnv>()
    .get("/", async (c) => c.json(await describePush(broker, await sessionOf(c))))
    .post("/subscription", async (c) => {
      const person = await sessionOf(c);
      await subscribe(broker, person, await readJson(c, pushSubscription));
      return c.body(null, 204);
    })
    .delete("/subscription", async (c) => {
      await deleteSubscription(broker.db, (await sessionOf(c)).sessionHash);
      return c.body(null, 204);
    })
    .post("/test", async (c) => {
      const person = await sessionOf(c);
      await rates.testPush(person.approver);
      return c.json({ outcome: await sendTest(broker, person) });
    })
    .post("/receipts", async (c) => {
      // The token is the proof: a service worker may have to answer after the session ended.
      await rates.address(c.get("clientAddress"));
      await receiveTest(broker, (await readJson(c, pushReceipt)).token);
      return c.body(null, 204);
    })
    .delete("/alerts/:rid", async (c) => {
      const { sessionHash: hash } = await sessionOf(c);
      await settlePush(broker.db, { sessionHash: hash, rid: parse(id, c.req.param("rid")) });
      return c.body(null, 204);
    });
}
