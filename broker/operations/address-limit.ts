/**
 * The limit per address: whoever sends too much that is refused is told to wait, before anything is parsed or verified.
 * What is accepted costs nothing, since the runners of a whole company may share one address.
 */
import { isIPv6 } from "node:net";
import type { FastifyInstance } from "fastify";
import { refuse } from "../refusals.ts";
import { answerRefusal } from "../routes/refusal-answer.ts";
import { createTokenBuckets } from "./token-buckets.ts";

const MAX_ADDRESSES = 50_000;
/** Who watches whether the broker is well must get an answer. */
const EXEMPT: readonly (string | undefined)[] = ["/healthz", "/readyz"];

export interface AddressLimitOptions {
  readonly perMinute: number;
  readonly now: () => number;
  /** Told once: somebody's `X-Forwarded-For` was not believed, so that many may share one limit. */
  readonly onUntrustedProxy: () => void;
}

export function limitAddresses(
  app: FastifyInstance,
  { perMinute, now, onUntrustedProxy }: AddressLimitOptions,
): void {
  const buckets = createTokenBuckets({ perMinute, maxNames: MAX_ADDRESSES, now });
  let warned = false;
  app.addHook("onRequest", (request, reply, done) => {
    const { ip, headers, socket } = request;
    if (!warned && headers["x-forwarded-for"] !== undefined && ip === socket.remoteAddress) {
      warned = true;
      onUntrustedProxy();
    }
    if (buckets.has(networkOf(ip)) || EXEMPT.includes(request.routeOptions.url)) return done();
    // Whatever body follows is not read.
    reply.header("connection", "close");
    answerRefusal(reply, refuse("address_limited", `more than ${perMinute} a minute from ${ip}`));
  });
  app.addHook("onResponse", (request, reply, done) => {
    const isRefused = reply.statusCode >= 400 && reply.statusCode < 500 && reply.statusCode !== 429;
    if (isRefused && !EXEMPT.includes(request.routeOptions.url)) buckets.take(networkOf(request.ip));
    done();
  });
}

/** An IPv6 customer has 2^64 addresses or more: they count as one. An IPv4 address has two spellings. */
export function networkOf(address: string): string {
  // Asked for every request: what follows reads addresses of both kinds with long expressions.
  if (!address.includes(":")) return address;
  const mapped = /^::ffff:([0-9.]+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!isIPv6(address)) return address;
  const [head = "", tail] = address.split("%")[0]?.split("::") ?? [];
  const groups = head === "" ? [] : head.split(":");
  const missing = tail === undefined ? 0 : 8 - groups.length - (tail === "" ? 0 : tail.split(":").length);
  const all = [...groups, ...Array.from({ length: missing }, () => "0"), ...(tail ?? "").split(":")];
  return `${all
    .slice(0, 4)
    .map((group) => Number.parseInt(group || "0", 16).toString(16))
    .join(":")}::/64`;
}
