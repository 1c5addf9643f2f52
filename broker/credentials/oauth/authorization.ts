/**
 * The authorization code grant with PKCE (RFC 7636, RFC 9700): from a server to the address that a person opens, and from
 * what comes back to a grant. State and verifier are made here and live no longer than the command.
 */
import {
  type AuthorizationServer,
  authorizationCodeGrantRequest,
  calculatePKCECodeChallenge,
  generateRandomCodeVerifier,
  generateRandomState,
  processAuthorizationCodeResponse,
  validateAuthResponse,
} from "oauth4webapi";
import type { AskIssuer, EntryOfKind } from "../kind.ts";
import { discoverServer } from "./authorization-server.ts";
import { type ChosenClient, chooseClient } from "./client-registration.ts";
import { proofOf } from "./client-proof.ts";
import type { ConnectionAnswer } from "./connections.ts";
import { readAccessToken } from "./granted-token.ts";
import { sendThrough } from "./guarded-oauth.ts";
import { discoverResource } from "./protected-resource.ts";
import { OauthRefused } from "./refusal.ts";
import type { StoredGrant } from "./stored-grant.ts";

export interface AuthorizationTerms {
  readonly entry: EntryOfKind<"oauth">;
  readonly serverUrl: string;
  readonly publicUrl: string;
  readonly clientSecret: string | undefined;
  readonly ask: AskIssuer;
}

export interface Authorization {
  /** What a person opens. */
  readonly address: string;
  readonly state: string;
  readonly server: AuthorizationServer;
  readonly chosen: ChosenClient;
  readonly resource: string;
  readonly scopes: readonly string[];
  readonly verifier: string;
}

/** Throws `OauthRefused`, and what the guarded client and the library throw. */
export async function prepareAuthorization(terms: AuthorizationTerms): Promise<Authorization> {
  const { entry, serverUrl, ask } = terms;
  if (entry.client_id !== undefined && entry.issuer === undefined) {
    // Such documents are not loaded: a server names whom it likes.
    throw new OauthRefused(
      "A client is known to nobody but the issuer of the documents: write issuer beside client_id in servers.yaml.",
    );
  }
  const found = await discoverResource(serverUrl, ask);
  // Servers of before RFC 9728 are their own authorization server.
  const issuer = entry.issuer ?? found.issuer ?? new URL(serverUrl).origin;
  const server = await discoverServer(issuer, ask, entry.issuer === undefined ? serverUrl : undefined);
  const { authorization_endpoint: endpoint } = server;
  if (endpoint === undefined)
    throw new OauthRefused(`${issuer} has no authorization endpoint: nobody can log in there.`);
  if (server.code_challenge_methods_supported?.includes("S256") !== true) {
    throw new OauthRefused(
      `${issuer} does not say that it has PKCE (S256): a stolen code would be worth a grant.`,
    );
  }
  const chosen = await chooseClient(server, {
    ...terms,
    isNamed: entry.issuer !== undefined,
    clientId: entry.client_id,
  });
  const [state, verifier] = [generateRandomState(), generateRandomCodeVerifier()];
  const { resource } = found;
  const scopes = chooseScopes(entry.scopes ?? found.scopes ?? [], server);
  const address = new URL(endpoint);
  const parameters = {
    response_type: "code",
    client_id: chosen.client.client_id,
    redirect_uri: chosen.client.redirect_uri,
    ...(scopes.length > 0 && { scope: scopes.join(" ") }),
    ...(scopes.includes("offline_access") && { prompt: "consent" }),
    ...{ state, resource, code_challenge: await calculatePKCECodeChallenge(verifier) },
    code_challenge_method: "S256",
  };
  for (const [name, value] of Object.entries(parameters)) address.searchParams.set(name, value);
  return { address: address.href, state, server, chosen, resource, scopes, verifier };
}

/** Throws as `prepareAuthorization` does. */
export async function finishAuthorization(
  { server, chosen, resource, state, verifier }: Authorization,
  answer: ConnectionAnswer,
  { ask, now }: { readonly ask: AskIssuer; readonly now: () => number },
): Promise<StoredGrant> {
  const { client } = chosen;
  if (answer.iss !== undefined && answer.iss !== server.issuer) {
    // RFC 9207, section 2.4: another server answered, which may be after the code.
    throw new OauthRefused(
      `The answer is of another issuer than ${server.issuer}, which was asked: nothing was sent to either.`,
    );
  }
  // That the state is the one of this authorization was proved when the answer was found by it.
  const parameters = validateAuthResponse(server, client, new URLSearchParams({ ...answer, state }), state);
  const { redirect_uri } = client;
  const options = { ...sendThrough(ask, server.issuer), additionalParameters: { resource } };
  const at = now();
  const response = await authorizationCodeGrantRequest(
    server,
    client,
    proofOf(chosen),
    parameters,
    redirect_uri,
    verifier,
    options,
  );
  const granted = await processAuthorizationCodeResponse(server, client, response);
  const { token, expiresAt } = readAccessToken(granted, { issuer: server.issuer, at });
  return {
    ...{ issuer: server.issuer, resource, ...chosen, access_token: token },
    ...(granted.refresh_token !== undefined && { refresh_token: granted.refresh_token }),
    ...(expiresAt !== undefined && { expires_at: expiresAt }),
  };
}

/** Without it, many servers give no refresh token (OpenID Connect Core, section 11). */
function chooseScopes(
  asked: readonly string[],
  { scopes_supported }: AuthorizationServer,
): readonly string[] {
  const isOffered = scopes_supported?.includes("offline_access") === true;
  return isOffered && !asked.includes("offline_access") ? [...asked, "offline_access"] : asked;
}
