import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import type { HttpContext } from "./context.js";

const cookieName = "__Host-invitation";
const attributes = { path: "/", secure: true, httpOnly: true, sameSite: "Strict" } as const;
/** Long enough to put the app on the Home Screen and open it there. */
const keptSeconds = 3600;

/**
 * An installed app starts with a storage of its own: of all that a page knows, iOS brings only cookies along.
 * The invitation may travel so; no script reads it.
 */
export function keepInvitation(c: HttpContext, invitation: string): void {
  setCookie(c, cookieName, invitation, { ...attributes, maxAge: keptSeconds });
}

export const keptInvitation = (c: HttpContext): string | undefined => getCookie(c, cookieName);

export function forgetInvitation(c: HttpContext): void {
  deleteCookie(c, cookieName, attributes);
}
