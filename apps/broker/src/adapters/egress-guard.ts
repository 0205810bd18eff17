import { promises as dns, type LookupAddress } from "node:dns";
import { Agent } from "node:https";
import { BlockList, isIP, type LookupFunction } from "node:net";

/** IANA's registries of special-purpose addresses, and what clouds answer metadata at beside them. */
const specialIpv4 = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "168.63.129.16/32",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
];

/** What global unicast begins with, and the parts of it that lead somewhere else: protocols, tunnels, examples. */
const globalIpv6 = "2000::/3";
const specialIpv6 = ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"];

const listOf = (networks: readonly string[], family: "ipv4" | "ipv6"): BlockList => {
  const list = new BlockList();
  for (const network of networks) {
    const [address = "", prefix] = network.split("/");
    list.addSubnet(address, Number(prefix), family);
  }
  return list;
};

const special = {
  ipv4: listOf(specialIpv4, "ipv4"),
  ipv6: listOf(specialIpv6, "ipv6"),
};
const global = listOf([globalIpv6], "ipv6");

/** Whether an address is anybody's on the Internet. Whatever embeds another address (mapped, NAT64, 6to4) is not. */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !special.ipv4.check(address, "ipv4");
    case 6:
      return (
        !address.includes("%") &&
        global.check(address, "ipv6") &&
        !special.ipv6.check(address, "ipv6")
      );
    default:
      return false;
  }
}

/** Every address of a name. */
export type Resolve = (hostname: string) => Promise<LookupAddress[]>;

const resolveBySystem: Resolve = (hostname) => dns.lookup(hostname, { all: true });

/** `code` of the error by which a connection is refused before it is made. */
export const egressBlocked = "EGRESS_BLOCKED";

const blocked = (): NodeJS.ErrnoException =>
  Object.assign(new Error("The address is not a public one."), { code: egressBlocked });

/**
 * Opens TLS connections to public addresses only, for URLs that clients chose. A name is looked up once for each
 * connection and the connection goes to the very addresses that were checked, so that a name which answers
 * differently the next time (DNS rebinding) gains nothing. One address among a name's that is not public refuses
 * them all. A proxy from the environment is never used.
 */
export function createEgressAgent(resolve: Resolve = resolveBySystem): Agent {
  const lookup: LookupFunction = (hostname, options, callback) => {
    resolve(hostname).then(
      (addresses) => {
        const [first] = addresses;
        if (!first || !addresses.every(({ address }) => isPublicAddress(address))) {
          callback(blocked(), "", 0);
        } else if (options.all) callback(null, addresses);
        else callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, "", 0),
    );
  };
  const agent = new Agent({ keepAlive: true, maxSockets: 32, lookup });
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (options, callback) => {
    // Node looks up no name where there is none: an address would go past the lookup above.
    if (isIP(options.host ?? "") !== 0) throw blocked();
    return connect(options, callback);
  };
  return agent;
}
