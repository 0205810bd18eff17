import { isIP } from "node:net";
import { isPublicAddress } from "./public-address.js";

/** Endings that only mean something on this machine or in this house (RFC 6761, 6762, 8375, ICANN's list, and custom). */
const ownEndings = new Set(
  "localhost local internal intranet private corp home lan localdomain test invalid arpa".split(
    " ",
  ),
);

/**
 * Whether a host, as URLs write it, is anybody's by its looks: a public address, or a name with a dot that is no
 * home's. Where a name leads is not asked here: asking tells the name to others.
 */
export function isPublicHost(host: string): boolean {
  const address = host.replace(/^\[(.*)\]$/, "$1");
  if (isIP(address) !== 0) return isPublicAddress(address);
  const labels = host.toLowerCase().replace(/\.$/, "").split(".");
  const last = labels.at(-1) ?? "";
  const isName = labels.length > 1 && labels.every((label) => /^[\w-]+$/.test(label));
  // An address in another spelling ends with a number; a name never does.
  return isName && /[a-z]/.test(last) && !/^0x/.test(last) && !ownEndings.has(last);
}
