/**
 * Where the broker may connect to on behalf of an address in its documents: public addresses only, unless it is written
 * out as another one or marked as one of the operator's own network. Link-local addresses, where clouds keep a machine's
 * credentials, are never among them.
 */
import { isIP } from "node:net";
import { type AddressRange, classifyAddress } from "../identity/address-range.ts";

export type Reach = ReadonlySet<AddressRange>;

const PUBLIC: Reach = new Set(["public"]);
/** Of a server in the operator's own network, which was said in so many words. */
const OWN_NETWORK: Reach = new Set(["public", "private", "loopback"]);

export function reachOf(address: string, isOwnNetwork: boolean): Reach {
  if (isOwnNetwork) return OWN_NETWORK;
  const range = rangeOfHost(new URL(address).hostname);
  return range === "loopback" || range === "private" ? new Set([range]) : PUBLIC;
}

/** What is known of it before anything is looked up. */
export function rangeOfHost(hostname: string): AddressRange {
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  return isIP(host) === 0 ? rangeOfName(host) : classifyAddress(host);
}

/** RFC 6761, section 6.3: this name is loopback, whatever a resolver says. */
function rangeOfName(host: string): AddressRange {
  return host === "localhost" || host.endsWith(".localhost") ? "loopback" : "public";
}
