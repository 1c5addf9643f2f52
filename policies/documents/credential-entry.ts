/**
 * One credential of the registry as a schema: what a server wants to see, and where the secret behind it comes from.
 * No secret stands in a document: what a person typed in, and what was granted to the broker, lies sealed in its database.
 */
import * as z from "zod/mini";
import { atMost, namesAtMost, textLike, textWithout } from "./document-fields.ts";
import { Duration } from "./duration.ts";
import { checkUrl } from "./server-url.ts";

const described = (text: string) => z.string().check(z.minLength(1), z.maxLength(1_000), z.describe(text));
const address = (text: string) => textWithout(checkUrl, text);

const owner = z.optional(
  z
    .enum(["shared", "robot"])
    .check(
      z.describe("Whose it is: shared, the organisation's (default); robot, each robot has one of its own."),
    ),
);
const delivery = z.optional(
  z
    .enum(["broker", "runner"])
    .check(
      z.describe(
        "Where it is used: broker, which relays the calls (default); runner, where what was minted for one session may be sent.",
      ),
    ),
);
const scopes = z.optional(
  z
    .array(textLike(/^[\x21\x23-\x5b\x5d-\x7e]+$/, "expected an OAuth scope", "A scope."))
    .check(atMost(100, "scopes"), z.describe("What is asked for at the authorization server.")),
);

const Bearer = z.strictObject({ kind: z.literal("bearer"), owner, delivery });

const Basic = z.strictObject({
  kind: z.literal("basic"),
  username: textLike(
    /^[^:\p{Cc}]+$/u,
    "expected a user name without a colon",
    "The user; the secret is the password.",
  ),
  owner,
  delivery,
});

const HeaderName = textLike(
  /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/,
  "expected the name of a header",
  "The name of a header.",
);

const Headers = z.strictObject({
  kind: z.literal("headers"),
  headers: z
    .record(
      HeaderName,
      textLike(/^[\x20-\x7e]{1,4000}$/, "expected printable ASCII", "Its value.").check(
        z.meta({ writeOnly: true }),
      ),
    )
    .check(
      namesAtMost(20, "headers"),
      z.describe("Each header and its value; {secret} stands for the secret, and one of them must have it."),
    ),
  owner,
  delivery,
});

/** How the broker says to an authorization server who it is. */
const clientAuthentication = {
  issuer: z.optional(address("The authorization server; its metadata say where tokens are given out.")),
  token_url: z.optional(address("Its token endpoint, where it publishes no metadata.")),
  client_id: described("The name of the broker at the authorization server."),
  client_auth: z.optional(
    z
      .enum(["client_secret_basic", "client_secret_post", "private_key_jwt"])
      .check(
        z.describe(
          "How it proves who it is: a secret in the header (default) or in the form, or a key that signs; the stored secret is that secret, or that key as a JWK.",
        ),
      ),
  ),
  scopes,
  resource: z.optional(
    address("RFC 8707: the server that the token is for; by default the address of the server."),
  ),
  audience: z.optional(described("For authorization servers that want `audience` in place of `resource`.")),
};

const ClientCredentials = z.strictObject({
  kind: z.literal("client-credentials"),
  ...clientAuthentication,
  owner,
  delivery,
});

const TokenExchange = z.strictObject({
  kind: z.literal("token-exchange"),
  ...clientAuthentication,
  owner,
  delivery,
});

const Oauth = z.strictObject({
  kind: z.literal("oauth"),
  issuer: z.optional(
    address("The authorization server; by default the one that the server names (RFC 9728)."),
  ),
  client_id: z.optional(
    described(
      "Where the broker was registered by hand; otherwise it presents its metadata document, or registers itself.",
    ),
  ),
  scopes,
  owner,
  delivery,
});

const access = z.enum(["read", "write", "admin"]);

const GithubApp = z.strictObject({
  kind: z.literal("github-app"),
  app_id: described("The App ID or client ID of the GitHub App; the stored secret is its private key (PEM)."),
  permissions: z
    .record(
      textLike(/^[a-z_]{1,60}$/, "expected a permission as GitHub's API names it", "A permission."),
      access,
    )
    .check(
      namesAtMost(100, "permissions"),
      z.describe("What the installation token may do; nothing else is asked for."),
    ),
  repositories: z.optional(
    z
      .array(
        textLike(
          /^[A-Za-z0-9._-]{1,100}$/,
          "expected the name of a repository, without its owner",
          "A repository.",
        ),
      )
      .check(
        z.minLength(1),
        z.maxLength(
          100,
          "more than 100 repositories: leave it out for the run's own, or write a credential for each group of them",
        ),
        z.describe("Of the owner of the run's repository; by default the run's repository alone."),
      ),
  ),
  api_url: z.optional(address("GitHub's REST API; by default https://api.github.com.")),
  owner,
  delivery,
});

const AwsRole = z.strictObject({
  kind: z.literal("aws-role"),
  role_arn: textLike(
    /^arn:[a-z0-9-]+:iam::[0-9]{0,12}:role\/[\w+=,.@/-]{1,512}$/,
    "expected the ARN of a role: arn:aws:iam::123456789012:role/NAME",
    "The role that is assumed for each session.",
  ),
  region: z.optional(
    textLike(/^[a-z0-9-]{1,40}$/, "expected a region", "Where STS is asked, and AWS_REGION of the server."),
  ),
  ttl: z.optional(Duration),
  session_policy: z.optional(
    described("An IAM policy (JSON): the session may do what both it and the role allow."),
  ),
  external_id: z.optional(described("What the role's trust policy wants to see.")),
  sts_url: z.optional(address("The STS endpoint; by default AWS's own.")),
  owner,
  delivery,
});

const None = z.strictObject({ kind: z.literal("none"), delivery });

export const CredentialEntry = z
  .discriminatedUnion("kind", [
    Bearer,
    Basic,
    Headers,
    ClientCredentials,
    Oauth,
    TokenExchange,
    GithubApp,
    AwsRole,
    None,
  ])
  .register(z.globalRegistry, { description: "What a server wants to see, and where it is used." });
export type CredentialEntry = z.infer<typeof CredentialEntry>;
export type CredentialKindName = CredentialEntry["kind"];
