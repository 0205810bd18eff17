import {
  bytes32,
  keyAppend,
  linkOffer,
  linkStatus,
  parse,
  recoveryCall,
  recoveryCompletion,
  recoveryStart,
  signedFreeze,
} from "@countersign/shared";
import { Hono } from "hono";
import * as z from "zod/mini";
import type { Broker } from "../broker.js";
import type { ApproverRow } from "../db/approvers.js";
import { limits } from "../domain/limits.js";
import { topics } from "../domain/ports.js";
import { setFreeze } from "../freeze.js";
import { chainOf, changeKeys, offerLink, readLink } from "../keys.js";
import { beginRecovery, finishRecovery, recoveryOf, signedRecovery } from "../recovery.js";
import { type HttpContext, type HttpEnv, readJson } from "./context.js";
import type { RateLimits } from "./limits.js";
import { authenticatePerson, startSession } from "./person-auth.js";
import { longPoll } from "./wait.js";

const afterState = z.optional(linkStatus.shape.state);

/** `/app` for what concerns an account's keys. A session alone changes none: every change carries its signatures. */
export function keysRoutes(broker: Broker, rates: RateLimits): Hono<HttpEnv> {
  const deciding: Broker = { ...broker, db: broker.reserved };
  const personOf = async (c: HttpContext): Promise<ApproverRow> => {
    const person = await authenticatePerson(broker, c);
    await rates.approver(person.approver);
    return person;
  };

  return new Hono<HttpEnv>()
    .get("/keys", async (c) => c.json(await chainOf(broker, await personOf(c))))
    .post("/keys", async (c) => {
      const person = await personOf(c);
      return c.json(await changeKeys(broker, person, await readJson(c, keyAppend)), 201);
    })
    .post("/links", async (c) => {
      await rates.pairing(c.get("clientAddress"));
      return c.json(await offerLink(broker, await readJson(c, linkOffer)), 201);
    })
    .get("/links/:id", async (c) => {
      await rates.pairing(c.get("clientAddress"));
      const linkId = parse(bytes32, c.req.param("id"));
      const after = parse(afterState, c.req.query("after"));
      const milliseconds = after === undefined ? 0 : limits.longPollSeconds * 1000;
      const found = await longPoll(
        broker,
        topics.link(linkId),
        c.req.raw.signal,
        milliseconds,
        () => readLink(broker, linkId),
        ({ state }) => state !== after,
      );
      return c.json(found);
    })
    .put("/agents/:clientId/freeze", async (c) => {
      const person = await authenticatePerson(deciding, c);
      await rates.decision(person.approver);
      const clientId = parse(bytes32, c.req.param("clientId"));
      return c.json(await setFreeze(deciding, person, clientId, await readJson(c, signedFreeze)));
    })
    .get("/recovery", async (c) => c.json(await recoveryOf(broker, await personOf(c))))
    .post("/recovery", async (c) => {
      const person = await personOf(c);
      return c.json(await signedRecovery(broker, person, await readJson(c, recoveryCall)));
    })
    .post("/recoveries", async (c) => {
      await rates.recovery(c.get("clientAddress"));
      const { code } = await readJson(c, recoveryStart);
      return c.json(await beginRecovery(broker, code), 201);
    })
    .post("/recoveries/completion", async (c) => {
      await rates.recovery(c.get("clientAddress"));
      const given = await readJson(c, recoveryCompletion);
      const { approver, sessionToken } = await finishRecovery(broker, given);
      await startSession(broker, c, sessionToken);
      return c.json({ approver }, 201);
    });
}
