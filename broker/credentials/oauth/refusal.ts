/** Something about an authorization server that asking again would not change. The message is a sentence without secrets. */
export class OauthRefused extends Error {
  readonly code = "oauth_refused";
}
