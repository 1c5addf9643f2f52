/**
 * What a server says about the tokens that it takes (RFC 9728): from its refusal of a request without one, or from where
 * the RFC has it. It is believed only about the server itself.
 */
import { z } from "zod";
import { parseStrictObject } from "../../identity/strict-json.ts";
import type { AskIssuer } from "../kind.ts";
import { checkNamedAddress } from "./named-address.ts";
import { OauthRefused } from "./refusal.ts";

const WELL_KNOWN = "/.well-known/oauth-protected-resource";
const Scope = z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/);
const Metadata = z.object({
  resource: z.string().max(2_000),
  authorization_servers: z.array(z.string()).max(20).optional(),
  scopes_supported: z.array(Scope).max(100).optional(),
});

export interface ProtectedResource {
  /** As the server calls itself (RFC 8707). */
  readonly resource: string;
  /** Undefined: it names no authorization server. */
  readonly issuer: string | undefined;
  /** What the server asks for, then what it knows; undefined: neither is said. */
  readonly scopes: readonly string[] | undefined;
}

/** Throws `OauthRefused`, and what the guarded client throws. */
export async function discoverResource(serverUrl: string, ask: AskIssuer): Promise<ProtectedResource> {
  const challenge = await askForChallenge(serverUrl, ask);
  for (const address of addressesOf(serverUrl, challenge.metadata)) {
    const headers = { accept: "application/json" };
    const answer = await ask({ method: "GET", url: address, headers, namedBy: serverUrl });
    if (answer.status !== 200) continue;
    const parsed = Metadata.safeParse(parseStrictObject(answer.body));
    if (!parsed.success)
      throw new OauthRefused(`What ${address} says about the server is not what RFC 9728 allows.`);
    const { resource, authorization_servers, scopes_supported } = parsed.data;
    checkResource(resource, serverUrl);
    const [named] = authorization_servers ?? [];
    const by = { what: "authorization server", by: serverUrl };
    return {
      resource,
      // As it is written: the issuer has to say the same of itself.
      issuer: named === undefined ? undefined : checkNamedAddress(named, by) && named,
      scopes: challenge.scopes ?? scopes_supported,
    };
  }
  return { resource: serverUrl, issuer: undefined, scopes: challenge.scopes };
}

interface Challenge {
  readonly metadata: string | undefined;
  readonly scopes: readonly string[] | undefined;
}

/** The first message of any client, without a credential. */
async function askForChallenge(serverUrl: string, ask: AskIssuer): Promise<Challenge> {
  const params = {
    protocolVersion: "2025-11-25",
    capabilities: {},
    clientInfo: { name: "lanyard", version: "0" },
  };
  const answer = await ask({
    method: "POST",
    url: serverUrl,
    headers: { accept: "application/json, text/event-stream", "content-type": "application/json" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize", params }),
  });
  const header = answer.status === 401 ? (answer.headers["www-authenticate"] ?? "") : "";
  const scopes = z.array(Scope).safeParse(readParameter(header, "scope")?.split(" "));
  return { metadata: readParameter(header, "resource_metadata"), scopes: scopes.data };
}

function readParameter(header: string, name: string): string | undefined {
  return new RegExp(`(?:^|[\\s,])${name}="([^"\\\\]{1,2000})"`, "i").exec(header)?.[1];
}

function addressesOf(serverUrl: string, named: string | undefined): string[] {
  if (named !== undefined) {
    return [checkNamedAddress(named, { what: "protected resource metadata", by: serverUrl })];
  }
  const { origin, pathname } = new URL(serverUrl);
  const whole = `${origin}${WELL_KNOWN}`;
  return pathname === "/" ? [whole] : [`${whole}${pathname}`, whole];
}

/** Whether a server of this address is that resource, or lies below it. */
export function isWithin(resource: string, serverUrl: string): boolean {
  const [named, server] = [URL.parse(resource), new URL(serverUrl)];
  const path = named?.pathname.replace(/\/?$/, "/");
  return named !== null && named.origin === server.origin && `${server.pathname}/`.startsWith(path ?? "");
}

/** Section 3.3: what is about another resource is not used, or one server could have tokens for another made out. */
function checkResource(resource: string, serverUrl: string): void {
  if (!isWithin(resource, serverUrl)) {
    const server = new URL(serverUrl);
    throw new OauthRefused(
      `The server ${server.origin} says that it is another resource: no token is asked for with its word.`,
    );
  }
}
