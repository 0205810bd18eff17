import {
  enrolment,
  invitationCheck,
  nonceRequest,
  ProtocolError,
  type SiteInfo,
  signIn as signInSchema,
} from "@countersign/shared";
import { Hono } from "hono";
import type { Broker } from "../broker.js";
import { describeApprover, enrol, invite, isInvited, issueNonce, signIn } from "../registration.js";
import { type HttpEnv, readJson } from "./context.js";
import { forgetInvitation, keepInvitation, keptInvitation } from "./kept-invitation.js";
import type { RateLimits } from "./limits.js";
import { authenticatePerson, endSession, findPerson, startSession } from "./person-auth.js";

/** `/app` before and around a session. What needs no session is limited by address. */
export function accountRoutes(broker: Broker, rates: RateLimits): Hono<HttpEnv> {
  return new Hono<HttpEnv>()
    .get("/site", async (c) => {
      await rates.address(c.get("clientAddress"));
      const person = await findPerson(broker, c);
      const kept = person ? undefined : keptInvitation(c);
      const invited = kept !== undefined && (await isInvited(broker, kept));
      const info: SiteInfo = {
        ...broker.site,
        log_key: broker.logKey.vkey,
        ...(person ? { approver: person } : {}),
        ...(invited ? { invited } : {}),
      };
      return c.json(info);
    })
    .post("/nonces", async (c) => {
      await rates.address(c.get("clientAddress"));
      const { purpose } = await readJson(c, nonceRequest);
      return c.json(await issueNonce(broker, purpose));
    })
    .post("/invitations/check", async (c) => {
      await rates.invitation(c.get("clientAddress"));
      const { invitation = keptInvitation(c) } = await readJson(c, invitationCheck);
      if (invitation === undefined || !(await isInvited(broker, invitation))) {
        throw new ProtocolError("invitation_invalid");
      }
      keepInvitation(c, invitation);
      return c.body(null, 204);
    })
    .post("/approvers", async (c) => {
      await rates.invitation(c.get("clientAddress"));
      const given = await readJson(c, enrolment);
      const { invitation = keptInvitation(c) ?? "" } = given;
      const { approver, sessionToken } = await enrol(broker, { ...given, invitation });
      forgetInvitation(c);
      await startSession(broker, c, sessionToken);
      return c.json({ approver }, 201);
    })
    .post("/session", async (c) => {
      await rates.address(c.get("clientAddress"));
      const { approver, sessionToken } = await signIn(broker, await readJson(c, signInSchema));
      await startSession(broker, c, sessionToken);
      broker.log.info({ approver, address: c.get("clientAddress") }, "signed in");
      return c.json({ approver }, 201);
    })
    .delete("/session", async (c) => {
      await endSession(broker, c);
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
