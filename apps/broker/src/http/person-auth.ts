import { ProtocolError } from "@countersign/shared";
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import type { Broker } from "../broker.js";
import type { ApproverRow } from "../db/approvers.js";
import { deleteSession, findSession } from "../db/sessions.js";
import { limits } from "../domain/limits.js";
import { tokenHash } from "../registration.js";
import type { HttpContext } from "./context.js";

const cookieName = "__Host-session";
const attributes = { path: "/", secure: true, httpOnly: true, sameSite: "Strict" } as const;

/** Whoever signs in again has one session more, and the one before it no longer. */
export async function startSession(broker: Broker, c: HttpContext, token: string): Promise<void> {
  await deleteNamed(broker, c);
  setCookie(c, cookieName, token, { ...attributes, maxAge: limits.sessionSeconds });
}

export async function endSession(broker: Broker, c: HttpContext): Promise<void> {
  await deleteNamed(broker, c);
  deleteCookie(c, cookieName, attributes);
}

async function deleteNamed({ db }: Broker, c: HttpContext): Promise<void> {
  const hash = sessionHash(c);
  if (hash !== undefined) await deleteSession(db, hash);
}

/** The hash of the session that the cookie names, if it names one. */
export function sessionHash(c: HttpContext): string | undefined {
  const token = getCookie(c, cookieName);
  return token === undefined ? undefined : tokenHash(token);
}

/** The approver whose session this is, if anybody's. */
export async function findPerson(broker: Broker, c: HttpContext): Promise<ApproverRow | undefined> {
  const hash = sessionHash(c);
  return hash === undefined ? undefined : findSession(broker.db, hash);
}

/** @throws ProtocolError `unauthenticated` */
export async function authenticatePerson(broker: Broker, c: HttpContext): Promise<ApproverRow> {
  const person = await findPerson(broker, c);
  if (!person) throw new ProtocolError("unauthenticated");
  return person;
}

/**
 * Refuses calls that another site made the browser send. Fetch metadata where the browser has it, and the
 * origin on everything that changes state.
 * @throws ProtocolError `cross_site`
 */
export function requireSameOrigin(broker: Broker, c: HttpContext): void {
  const fetchSite = c.req.header("sec-fetch-site");
  if (fetchSite !== undefined && fetchSite !== "same-origin" && fetchSite !== "none") {
    throw new ProtocolError("cross_site");
  }
  const reads = c.req.method === "GET" || c.req.method === "HEAD";
  if (!reads && c.req.header("origin") !== broker.site.origin) {
    throw new ProtocolError("cross_site");
  }
}
