/**
 * As which client the broker asks for a grant: the one that the documents name, its metadata document where the
 * authorization server reads such, or one that it registers for this grant alone (RFC 7591), so that what ends with one
 * registered client is nothing of another.
 *
 * Any server may read the metadata document, so an answer to it may be of any: a server that a stranger named could send
 * the browser on to an honest one, and would be told that one's code. So the document is shown where the documents name
 * the issuer, and where it says that its answers name it (RFC 9207), without which none is redeemed.
 */
import {
  type AuthorizationServer,
  dynamicClientRegistrationRequest,
  processDynamicClientRegistrationResponse,
} from "oauth4webapi";
import type { AskIssuer } from "../kind.ts";
import {
  CLIENT_DOCUMENT_PATH,
  describeClient,
  redirectAddressAt,
  sharedRedirectAddress,
} from "./client-document.ts";
import { sendThrough } from "./guarded-oauth.ts";
import { OauthRefused } from "./refusal.ts";
import type { StoredClient, StoredGrant } from "./stored-grant.ts";

export interface ClientTerms {
  readonly publicUrl: string;
  readonly ask: AskIssuer;
  /** The documents name the issuer; otherwise the server did. */
  readonly isNamed: boolean;
  /** Of the documents. */
  readonly clientId: string | undefined;
  /** Of that client, where it has one. */
  readonly clientSecret: string | undefined;
}

export type ChosenClient = Pick<StoredGrant, "client" | "proof">;
type Proof = StoredGrant["proof"];

const MAX_CHARS = 2_000;

/** Throws `OauthRefused`, and what the guarded client and the library throw. */
export async function chooseClient(server: AuthorizationServer, terms: ClientTerms): Promise<ChosenClient> {
  const { publicUrl, clientId, clientSecret } = terms;
  const redirect_uri = sharedRedirectAddress(publicUrl);
  if (clientId !== undefined) {
    const client: StoredClient = { client_id: clientId, origin: "configured", redirect_uri };
    return clientSecret === undefined
      ? { client, proof: "none" }
      : { client: { ...client, client_secret: clientSecret }, proof: secretProofOf(server) };
  }
  if (readsDocument(server, terms) && answersAsItself(server, terms)) {
    const client_id = `${publicUrl}${CLIENT_DOCUMENT_PATH}`;
    return { client: { client_id, origin: "document", redirect_uri }, proof: "none" };
  }
  return register(server, terms);
}

function readsDocument(server: AuthorizationServer, { publicUrl }: ClientTerms): boolean {
  return server["client_id_metadata_document_supported"] === true && publicUrl.startsWith("https:");
}

function answersAsItself(server: AuthorizationServer, { isNamed }: ClientTerms): boolean {
  return isNamed || server.authorization_response_iss_parameter_supported === true;
}

async function register(server: AuthorizationServer, terms: ClientTerms): Promise<ChosenClient> {
  const { publicUrl, ask } = terms;
  const { registration_endpoint: endpoint, issuer } = server;
  const redirect_uri = redirectAddressAt(issuer, publicUrl);
  const byHand = `register one there by hand, with the redirect address ${sharedRedirectAddress(publicUrl)}, and write its issuer and client_id.`;
  if (endpoint === undefined && readsDocument(server, terms)) {
    throw new OauthRefused(
      `${issuer} does not say that its answers name it (RFC 9207), so that they could be another server's: if you trust it, write issuer: ${issuer} at the credential in servers.yaml.`,
    );
  }
  if (endpoint === undefined) throw new OauthRefused(`${issuer} registers no clients by itself: ${byHand}`);
  if (new URL(endpoint).origin !== new URL(issuer).origin) {
    throw new OauthRefused(
      `${issuer} has clients registered elsewhere (${new URL(endpoint).origin}): ${byHand}`,
    );
  }
  const asked: Proof = takesNoSecret(server) ? "none" : secretProofOf(server);
  const metadata = { ...describeClient(publicUrl, redirect_uri), token_endpoint_auth_method: asked };
  const response = await dynamicClientRegistrationRequest(server, metadata, sendThrough(ask, issuer));
  const {
    client_id,
    client_secret,
    token_endpoint_auth_method: method = asked,
  } = await processDynamicClientRegistrationResponse(response);
  const proof = (["none", "client_secret_basic", "client_secret_post"] as const).find(
    (each) => each === method,
  );
  const secret = typeof client_secret === "string" ? client_secret : undefined;
  const isShort = client_id.length <= MAX_CHARS && (secret?.length ?? 0) <= MAX_CHARS;
  if (proof === undefined || !isShort || (proof !== "none" && secret === undefined)) {
    throw new OauthRefused(`${issuer} registered a client that the broker cannot be: ${byHand}`);
  }
  const client: StoredClient = { client_id, origin: "registered", redirect_uri };
  return proof === "none" || secret === undefined
    ? { client, proof: "none" }
    : { client: { ...client, client_secret: secret }, proof };
}

/** RFC 8414, section 2, has another default where the list is absent; servers that leave it out take none. */
function takesNoSecret({ token_endpoint_auth_methods_supported: methods }: AuthorizationServer): boolean {
  return methods === undefined || methods.includes("none");
}

function secretProofOf({ token_endpoint_auth_methods_supported: methods }: AuthorizationServer): Proof {
  const postsOnly = methods?.includes("client_secret_post") && !methods.includes("client_secret_basic");
  return postsOnly === true ? "client_secret_post" : "client_secret_basic";
}
