/**
 * The guard at the resolver: a connection is made to an address that was checked, and to no other. A name is resolved
 * once for each connection, so it cannot be rebound between; one address that is not permitted refuses the name.
 */
import type { LookupAddress } from "node:dns";
import { lookup as resolveName } from "node:dns/promises";
import { type LookupFunction, isIP } from "node:net";
import { classifyAddress } from "../identity/address-range.ts";
import type { Reach } from "./reach.ts";

/** Every address of a name. */
export type Resolve = (hostname: string) => Promise<readonly LookupAddress[]>;

/** The address is not one that may be connected to, or there is none. */
export class AddressRefused extends Error {
  readonly code = "address_refused";
}

export interface AddressTerms {
  /** Ranges that may be connected to; undefined: all. */
  readonly permitted?: Reach | undefined;
  /** By default the system's resolver. */
  readonly resolve?: Resolve | undefined;
}

/** Nothing is looked up for an address that is written out. Throws `AddressRefused`. */
export function checkWrittenAddress({ hostname }: URL, permitted: AddressTerms["permitted"]): void {
  const host = hostname.replace(/^\[(.*)\]$/, "$1");
  if (isIP(host) !== 0) checkAddress(host, host, permitted);
}

export function guardLookup({ permitted, resolve = resolveAll }: AddressTerms): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname)
      .then((addresses) => {
        // One that is not permitted is enough to refuse: a name with both kinds is there to be tried until it works.
        for (const { address } of addresses) checkAddress(hostname, address, permitted);
        const [first] = addresses;
        if (first === undefined) throw new AddressRefused(`${hostname} has no address`);
        if (options.all === true) callback(null, [...addresses]);
        else callback(null, first.address, first.family);
      })
      .catch((error: unknown) => callback(error instanceof Error ? error : new Error(String(error)), ""));
  };
}

async function resolveAll(hostname: string): Promise<LookupAddress[]> {
  return resolveName(hostname, { all: true });
}

function checkAddress(host: string, address: string, permitted: AddressTerms["permitted"]): void {
  const range = classifyAddress(address);
  if (permitted !== undefined && !permitted.has(range)) {
    throw new AddressRefused(
      `${host === address ? address : `${host} is ${address}, which`} is a ${range} address: nothing is fetched there`,
    );
  }
}
