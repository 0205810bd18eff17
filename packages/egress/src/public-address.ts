import { BlockList, isIP } from "node:net";

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
