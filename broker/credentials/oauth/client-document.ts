/** Who the broker is to authorization servers that read the metadata of a client at its `client_id`. */

export const CLIENT_DOCUMENT_PATH = "/.well-known/oauth-client.json";
export const CALLBACK_PATH = "/oauth/callback";

export function redirectAddress(publicUrl: string): string {
  return `${publicUrl}${CALLBACK_PATH}`;
}

/** What is the same wherever it is registered (RFC 7591, section 2). */
export function describeClient(publicUrl: string) {
  return {
    client_name: "Lanyard",
    client_uri: publicUrl,
    redirect_uris: [redirectAddress(publicUrl)],
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    token_endpoint_auth_method: "none",
  };
}

export function clientDocument(publicUrl: string): Record<string, unknown> {
  return { client_id: `${publicUrl}${CLIENT_DOCUMENT_PATH}`, ...describeClient(publicUrl) };
}
