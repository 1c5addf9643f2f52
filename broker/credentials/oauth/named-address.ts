/**
 * Addresses that a server or an authorization server names, which may be an attacker's. Whoever is on the internet can
 * only name what is on the internet: not this machine and not the operator's network.
 */
import { rangeOfHost } from "../../egress/reach.ts";
import { OauthRefused } from "./refusal.ts";

const MAX_CHARS = 2_000;

/** Returns it as it is written. Throws `OauthRefused`; `what` says in words what it is for. */
export function checkNamedAddress(
  address: unknown,
  { what, by }: { readonly what: string; readonly by: string },
): string {
  const url = typeof address === "string" && address.length <= MAX_CHARS ? URL.parse(address) : null;
  const { origin, hostname } = new URL(by);
  if (url === null || url.username !== "" || url.password !== "" || url.hash !== "") {
    throw new OauthRefused(`${origin} names no address, or one that is none, as its ${what}.`);
  }
  const range = rangeOfHost(url.hostname);
  if (range !== "public" && range !== rangeOfHost(hostname)) {
    throw new OauthRefused(
      `${origin} names a ${range} address as its ${what}: nothing is fetched there because somebody elsewhere says so.`,
    );
  }
  if (url.protocol !== "https:" && !(url.protocol === "http:" && range === "loopback")) {
    throw new OauthRefused(`${origin} names an address without TLS as its ${what}.`);
  }
  return url.href;
}
