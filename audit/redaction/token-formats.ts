/**
 * The well-known formats of secrets: what is recognised without being told that it is one.
 * Every pattern is linear and starts with a fixed prefix, so that a hostile text cannot make the search slow.
 */

export interface TokenFormat {
  /** What stands in the log in place of the secret: `[redacted:<kind>:unknown]`. */
  readonly kind: string;
  /** Without flags; matched case-sensitively. */
  readonly pattern: RegExp;
}

/** The character before a token must not be part of a word: `task-force` holds no `sk-force`. */
const NO_WORD = "(?<![A-Za-z0-9])";
/** Unless that letter ends an escape: of JSON within JSON, of a URL, of a terminal's colours. */
const ESCAPE =
  "(?<=\\\\(?:[abefnrtv]|u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2})|%[0-9A-Fa-f]{2}|[\\x1bBbe3]\\[[0-9;]{0,16}m)";
const START = `(?:${NO_WORD}|${ESCAPE})`;

function startingWith(prefix: string, rest: string): RegExp {
  return new RegExp(`${START}(?:${prefix})${rest}`);
}

export const TOKEN_FORMATS: readonly TokenFormat[] = [
  {
    kind: "lanyard-token",
    pattern: startingWith("lanyard_[a-z]{1,16}_|lop_", "[A-Za-z0-9_-]{16,}"),
  },
  // Installation tokens of the newer form hold dots, as JWTs do.
  { kind: "github-token", pattern: startingWith("gh[oprsu]_", "[A-Za-z0-9_-]{20,}(?:\\.[A-Za-z0-9_-]+)*") },
  { kind: "github-token", pattern: startingWith("github_pat_", "[A-Za-z0-9_]{20,}") },
  { kind: "gitlab-token", pattern: startingWith("gl(?:pat|rt|cbt|dt|ptt|soat)-", "[A-Za-z0-9_.-]{20,}") },
  { kind: "anthropic-key", pattern: startingWith("sk-ant-", "[A-Za-z0-9_-]{16,}") },
  // The digit tells a key from words with hyphens.
  { kind: "openai-key", pattern: startingWith("sk-", "(?=[A-Za-z_-]{0,64}[0-9])[A-Za-z0-9_-]{20,}") },
  { kind: "stripe-key", pattern: startingWith("[rs]k_(?:live|test)_", "[A-Za-z0-9]{16,}") },
  { kind: "aws-key", pattern: startingWith("AKIA|ASIA|ABIA|ACCA", "[A-Z2-7]{16}(?![A-Za-z0-9])") },
  { kind: "google-key", pattern: startingWith("AIza", "[A-Za-z0-9_-]{35}") },
  { kind: "google-token", pattern: startingWith("ya29\\.", "[A-Za-z0-9_.-]{20,}") },
  { kind: "slack-token", pattern: startingWith("xox[a-z]-|xox[a-z]\\.xox[a-z]-|xapp-", "[A-Za-z0-9-]{10,}") },
  { kind: "npm-token", pattern: startingWith("npm_", "[A-Za-z0-9]{36,}") },
  { kind: "pypi-token", pattern: startingWith("pypi-", "[A-Za-z0-9_-]{50,}") },
  { kind: "hugging-face-token", pattern: startingWith("hf_", "[A-Za-z0-9]{30,}") },
  { kind: "docker-token", pattern: startingWith("dckr_(?:pat|oat)_", "[A-Za-z0-9_-]{20,}") },
  { kind: "digitalocean-token", pattern: startingWith("do[opr]_v1_", "[a-f0-9]{64}") },
  { kind: "notion-token", pattern: startingWith("ntn_", "[A-Za-z0-9]{40,}") },
  { kind: "linear-key", pattern: startingWith("lin_(?:api|oauth)_", "[A-Za-z0-9]{32,}") },
  { kind: "sendgrid-key", pattern: startingWith("SG\\.", "[A-Za-z0-9_-]{16,}\\.[A-Za-z0-9_-]{16,}") },
  // Signed (three parts) or encrypted (five parts, of which the second may be empty). The first look ahead settles
  // whether the dots are there, so that many beginnings without an end cost no more than one.
  {
    kind: "jwt",
    pattern: /(?<![\w-])(?=[\w-]+\.[\w-]*\.[\w-])[\w-]*?eyJ[\w-]{8,}\.[\w-]*\.[\w-]+(?:\.[\w-]+){0,2}/,
  },
  // A key that was cut off is redacted to the end of the text.
  {
    kind: "private-key",
    pattern:
      /-----BEGIN (?:[A-Z0-9]{1,16} ){0,3}PRIVATE KEY(?: BLOCK)?-----[^]*?(?:-----END [A-Z0-9 ]{1,64}-----|$)/,
  },
];
