import type { Site } from "@countersign/shared";
import { ClientError } from "../errors.js";

/**
 * The relying party that this agent expects, from the one URL it was given: never from what a server says.
 * @throws ClientError `invalid_options` for a URL that WebAuthn cannot work with
 */
export function siteOf(brokerUrl: string): Site {
  const url = URL.canParse(brokerUrl) ? new URL(brokerUrl) : null;
  const bare = url && url.pathname === "/" && !url.search && !url.hash && !url.username;
  const safe =
    url?.protocol === "https:" || (url?.protocol === "http:" && url.hostname === "localhost");
  if (!bare || !safe)
    throw new ClientError("invalid_options", {
      detail: "brokerUrl: https://host, or http://localhost:<port>",
    });
  return { issuer: url.origin, rp_id: url.hostname, origin: url.origin };
}
