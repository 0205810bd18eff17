import {
  enrolment,
  invitationCheck,
  nonceRequest,
  type SiteInfo,
  signIn as signInSchema,
} from "@countersign/shared";
import { Hono } from "hono";
import type { Broker } from "../broker.js";
import { deleteSession } from "../db/sessions.js";
import {
  checkInvitation,
  describeApprover,
  enrol,
  invite,
  issueNonce,
  signIn,
} from "../registration.js";
import { type HttpEnv, readJson } from "./context.js";
import type { RateLimits } from "./limits.js";
import {
  authenticatePerson,
  endSession,
  findPerson,
  sessionHash,
  startSession,
} from "./person-auth.js";

/** `/app` before and around a session. What needs no session is limited by address. */
export function accountRoutes(broker: Broker, rates: RateLimits): Hono<HttpEnv> {
  return new Hono<HttpEnv>()
    .get("/site", async (c) => {
      await rates.address(c.get("clientAddress"));
      const person = await findPerson(broker, c);
      const info: SiteInfo = { ...broker.site, ...(person ? { approver: person } : {}) };
      return c.json(info);
    })
    .post("/nonces", async (c) => {
      await rates.address(c.get("clientAddress"));
      const { purpose } = await readJson(c, nonceRequest);
      return c.json(await issueNonce(broker, purpose));
    })
    .post("/invitations/check", async (c) => {
      await rates.address(c.get("clientAddress"));
      await checkInvitation(broker, (await readJson(c, invitationCheck)).invitation);
      return c.body(null, 204);
    })
    .post("/approvers", async (c) => {
      await rates.address(c.get("clientAddress"));
      const { approver, sessionToken } = await enrol(broker, await readJson(c, enrolment));
      startSession(c, sessionToken);
      return c.json({ approver }, 201);
    })
    .post("/session", async (c) => {
      await rates.address(c.get("clientAddress"));
      const { approver, sessionToken } = await signIn(broker, await readJson(c, signInSchema));
      startSession(c, sessionToken);
      return c.json({ approver }, 201);
    })
    .delete("/session", async (c) => {
      const hash = sessionHash(c);
      if (hash !== undefined) await deleteSession(broker.db, hash);
      endSession(c);
      return c.body(null, 204);
    })
    .get("/me", async (c) =>
      c.json(await describeApprover(broker, await authenticatePerson(broker, c))),
    )
    .post("/invitations", async (c) => {
      const person = await authenticatePerson(broker, c);
      await rates.pairing(person.approver);
      return c.json(await invite(broker, person.approver), 201);
    });
}
