/**
 * Who an authorization server says that a token is: its own claims where it is a JWT, else what the server tells about
 * it (RFC 7662, OpenID Connect Core, section 5.3). It is a stranger's word, and decides nothing.
 */
import { decodeJwt } from "jose";
import {
  type AuthorizationServer,
  type Client,
  type ClientAuth,
  introspectionRequest,
  processIntrospectionResponse,
  processUserInfoResponse,
  skipSubjectCheck,
  userInfoRequest,
} from "oauth4webapi";
import type { AskIssuer } from "../kind.ts";
import { sendThrough } from "./guarded-oauth.ts";

const TELLING = [
  "name",
  "preferred_username",
  "username",
  "email",
  "sub",
  "client_id",
  "azp",
  "scope",
  "act",
];
const MAX_VALUE_CHARS = 200;

export interface IdentityTerms {
  readonly server: AuthorizationServer;
  readonly client: Client;
  readonly proof: ClientAuth;
  readonly ask: AskIssuer;
}

/** `claim: value`, for those that tell something. */
export async function describeIdentity(token: string, terms: IdentityTerms): Promise<readonly string[]> {
  const claims = readClaims(token) ?? (await askForClaims(token, terms));
  return TELLING.flatMap((name) => {
    const value = claims[name];
    if (value === undefined || value === "") return [];
    const text = typeof value === "string" ? value : JSON.stringify(value);
    return text.length > MAX_VALUE_CHARS || text.includes(token) ? [] : [`${name}: ${text}`];
  });
}

function readClaims(token: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return decodeJwt(token);
  } catch {
    return undefined;
  }
}

async function askForClaims(
  token: string,
  { server, client, proof, ask }: IdentityTerms,
): Promise<Readonly<Record<string, unknown>>> {
  const options = sendThrough(ask, server.issuer);
  // Either may refuse this client or this token, which says nothing about the credential.
  if (server.introspection_endpoint !== undefined) {
    const response = await introspectionRequest(server, client, proof, token, options);
    if (response.ok) {
      const claims = await processIntrospectionResponse(server, client, response);
      if (claims.active) return claims;
    }
  }
  if (server.userinfo_endpoint !== undefined) {
    const response = await userInfoRequest(server, client, token, options);
    if (response.ok) return processUserInfoResponse(server, client, skipSubjectCheck, response);
  }
  return {};
}
