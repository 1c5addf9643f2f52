/** Every kind that there is, by its name in the documents. */
import type { CredentialKindName } from "../../../policies/documents/credential-entry.ts";
import type { CredentialKind } from "../kind.ts";
import { awsRole } from "./aws-role/aws-role.ts";
import { basic } from "./basic.ts";
import { bearer } from "./bearer.ts";
import { clientCredentials } from "./client-credentials.ts";
import { githubApp } from "./github-app/github-app.ts";
import { headers } from "./headers.ts";
import { none } from "./none.ts";
import { oauth } from "./oauth.ts";
import { tokenExchange } from "./token-exchange.ts";

export const kinds: { readonly [Name in CredentialKindName]: CredentialKind<Name> } = {
  bearer,
  basic,
  headers,
  "client-credentials": clientCredentials,
  oauth,
  "token-exchange": tokenExchange,
  none,
  "github-app": githubApp,
  "aws-role": awsRole,
};
