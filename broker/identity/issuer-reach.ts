/**
 * Where the keys of an issuer may be fetched from: public addresses only, unless the issuer is configured as one that
 * has others. Link-local addresses, where clouds keep a machine's credentials, are never among them.
 */
import { isIP } from "node:net";
import { type AddressRange, classifyAddress } from "./address-range.ts";

const PUBLIC: ReadonlySet<AddressRange> = new Set(["public"]);
/** Of a server in the operator's own network, which was said in so many words. */
const OWN_NETWORK: ReadonlySet<AddressRange> = new Set(["public", "private", "loopback"]);

export function reachOf(issuer: string, privateIssuers: readonly string[]): ReadonlySet<AddressRange> {
  if (privateIssuers.includes(issuer)) return OWN_NETWORK;
  const host = new URL(issuer).hostname.replace(/^\[(.*)\]$/, "$1");
  const range = isIP(host) === 0 ? rangeOfName(host) : classifyAddress(host);
  return range === "loopback" || range === "private" ? new Set([range]) : PUBLIC;
}

/** RFC 6761, section 6.3: this name is loopback, whatever a resolver says. */
function rangeOfName(host: string): AddressRange {
  return host === "localhost" || host.endsWith(".localhost") ? "loopback" : "public";
}
