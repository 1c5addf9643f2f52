/**
 * What kind of address a name resolved to, by the special-purpose registries of IANA (RFC 6890 and its updates).
 * An address that stands for another one (IPv4-mapped, NAT64) counts as that one; what is not known to be public is not.
 */
import { BlockList, isIPv4, isIPv6 } from "node:net";

export type AddressRange = "public" | "private" | "loopback" | "link-local" | "reserved";

type Family = "ipv4" | "ipv6";

/** The first list that holds an address decides. */
const LISTS: readonly (readonly [Exclude<AddressRange, "public">, BlockList])[] = [
  // Where clouds answer with the machine's credentials: also the services that live outside of 169.254.0.0/16.
  ["link-local", listOf("169.254.0.0/16", "100.100.100.200/32", "168.63.129.16/32")],
  ["link-local", listOf("fe80::/10", "fd00:ec2::/32", "fd20:ce::/32")],
  ["loopback", listOf("127.0.0.0/8", "::1/128")],
  ["private", listOf("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")],
  [
    "reserved",
    listOf(
      ...["0.0.0.0/8", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24"],
      ...["203.0.113.0/24", "224.0.0.0/3", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"],
    ),
  ],
];
const GLOBAL_UNICAST = listOf("2000::/3");
/** Their last 32 bits are the IPv4 address that is meant. */
const EMBEDDED = listOf("::ffff:0:0/96", "64:ff9b::/96");

/** `address` as a resolver gives it, without brackets. What is no address is reserved. */
export function classifyAddress(address: string): AddressRange {
  if (isIPv4(address)) return findRange(address, "ipv4") ?? "public";
  if (!isIPv6(address) || address.includes("%")) return address.includes("%") ? "link-local" : "reserved";
  if (EMBEDDED.check(address, "ipv6")) return classifyAddress(embeddedAddressOf(address));
  return findRange(address, "ipv6") ?? (GLOBAL_UNICAST.check(address, "ipv6") ? "public" : "reserved");
}

function findRange(address: string, family: Family): AddressRange | undefined {
  return LISTS.find(([, list]) => list.check(address, family))?.[0];
}

/** A URL writes the last 32 bits of an IPv6 address as two groups of hex digits, whatever was given. */
function embeddedAddressOf(address: string): string {
  const groups = new URL(`http://[${address}]`).hostname.slice(1, -1).split(":").slice(-2);
  const [high = 0, low = 0] = groups.map((group) => Number.parseInt(group || "0", 16));
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}

function listOf(...subnets: readonly string[]): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [network = "", prefix = ""] = subnet.split("/");
    list.addSubnet(network, Number(prefix), isIPv4(network) ? "ipv4" : "ipv6");
  }
  return list;
}
