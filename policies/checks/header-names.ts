/**
 * The headers that a credential may not set: those that say how a request travels, and those by which the parts of the
 * protocol know each other.
 */
const FORBIDDEN: ReadonlySet<string> = new Set([
  "accept",
  "accept-encoding",
  "connection",
  "content-encoding",
  "content-length",
  "content-type",
  "date",
  "dpop",
  "expect",
  "forwarded",
  "host",
  "keep-alive",
  "last-event-id",
  "origin",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "range",
  "referer",
  "set-cookie",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "user-agent",
  "via",
]);

const FORBIDDEN_BEGINNINGS = ["mcp-", "lanyard-", "x-lanyard-", "sec-", "x-forwarded-", ":"];

export function isForbiddenHeader(name: string): boolean {
  const lower = name.toLowerCase();
  return FORBIDDEN.has(lower) || FORBIDDEN_BEGINNINGS.some((beginning) => lower.startsWith(beginning));
}
