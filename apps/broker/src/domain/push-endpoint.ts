/** The push services of the browsers that there are. Everything else is the operator's to add. */
export const knownPushHosts = [
  "fcm.googleapis.com",
  "*.push.services.mozilla.com",
  "*.push.apple.com",
  "*.notify.windows.com",
] as const;

const hostPattern = /^(\*\.)?(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z][a-z0-9-]*(?::\d{1,5})?$/;

/** A host name, `*.` before it for any name below it, `:port` after it for another port than 443. Never an address. */
export const isPushHost = (entry: string): boolean => hostPattern.test(entry);

/**
 * The endpoint of a subscription, if it may be called at all: a client chose this URL (protocol section 7). The
 * address behind the name is checked when it is connected to.
 */
export function readPushEndpoint(text: string, hosts: readonly string[]): URL | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  // In its one spelling: two parsers cannot read two hosts out of it.
  const plain =
    url.href === text &&
    url.protocol === "https:" &&
    url.username === "" &&
    url.password === "" &&
    !text.includes("#");
  return plain && hosts.some((entry) => covers(entry, url)) ? url : undefined;
}

function covers(entry: string, url: URL): boolean {
  const [name = "", port = ""] = entry.split(":");
  if (url.port !== (port === "443" ? "" : port)) return false;
  return name.startsWith("*.") ? url.hostname.endsWith(name.slice(1)) : url.hostname === name;
}
