import { promises as dns, type LookupAddress } from "node:dns";
import type { LookupFunction } from "node:net";
import { isPublicAddress } from "./public-address.js";

/** Every address of a name. */
export type Resolve = (hostname: string) => Promise<LookupAddress[]>;

const resolveBySystem: Resolve = (hostname) => dns.lookup(hostname, { all: true });

/** `code` of the error by which a connection is refused before it is made. */
export const egressBlocked = "EGRESS_BLOCKED";

export const refusal = (): NodeJS.ErrnoException =>
  Object.assign(new Error("The address is not a public one."), { code: egressBlocked });

/**
 * For connections to public addresses only. A name is looked up once for each connection and the connection goes to the
 * very addresses that were checked, so that a name which answers differently the next time (DNS rebinding) gains
 * nothing. One address among a name's that is not public refuses them all. Where a URL has an address in place of a
 * name Node looks up nothing: that is for the caller to refuse.
 */
export function publicLookup(resolve: Resolve = resolveBySystem): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname).then(
      (addresses) => {
        const [first] = addresses;
        if (!first || !addresses.every(({ address }) => isPublicAddress(address))) {
          callback(refusal(), "", 0);
        } else if (options.all) callback(null, addresses);
        else callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, "", 0),
    );
  };
}
