/**
 * Who the broker is to authorization servers, and where they send browsers back to. The clients that several servers may
 * know share one address; one that it registers at a server has an address there that no other server's answer comes to
 * (RFC 9700, section 4.4.2.2).
 */
import { createHash } from "node:crypto";

export const CLIENT_DOCUMENT_PATH = "/.well-known/oauth-client.json";
export const CALLBACK_PATH = "/oauth/callback";
/** 132 bits: nobody finds an issuer with the tag of another one. */
const TAG_CHARS = 22;

/** Of the metadata document, and of clients that were registered by hand. */
export function sharedRedirectAddress(publicUrl: string): string {
  return `${publicUrl}${CALLBACK_PATH}`;
}

/** Of the clients that the broker registers there. */
export function redirectAddressAt(issuer: string, publicUrl: string): string {
  const tag = createHash("sha256").update(issuer).digest("base64url").slice(0, TAG_CHARS);
  return `${publicUrl}${CALLBACK_PATH}/${tag}`;
}

/** What is the same wherever it is registered (RFC 7591, section 2). */
export function describeClient(publicUrl: string, redirectAddress: string) {
  return {
    client_name: "Lanyard",
    client_uri: publicUrl,
    redirect_uris: [redirectAddress],
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    token_endpoint_auth_method: "none",
  };
}

/** For servers that read the metadata of a client at its `client_id`. */
export function clientDocument(publicUrl: string): Record<string, unknown> {
  return {
    client_id: `${publicUrl}${CLIENT_DOCUMENT_PATH}`,
    ...describeClient(publicUrl, sharedRedirectAddress(publicUrl)),
  };
}
