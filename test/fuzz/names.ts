/** What the servers of a fuzzed world have, and what an agent would try in place of it. */

export const TOOL_NAMES = ["echo", "echo_all", "pay", "read_issue", "send_note", "drop_table"] as const;
export const RESOURCE_URIS = ["repo://acme/docs/a", "repo://acme/b", "repo://other/secret"] as const;
export const TEMPLATE_URIS = ["repo://acme/docs/{name}", "repo://{owner}/all"] as const;
export const PROMPT_NAMES = ["review", "fix_bug", "secret_plan"] as const;

/** Look like one that is there, to somebody. */
export const NEAR_TOOLS = [
  "Echo",
  "еcho",
  "echo\u200b",
  "echo ",
  "ECHO",
  "echo\u0000",
  "ec\u0301ho",
  "",
  "*",
  "pay/../echo",
];
export const NEAR_URIS = [
  "repo://acme/../other/secret",
  "repo://acme/%2e%2e/other/secret",
  "repo://acme/docs/..%2f..%2fother",
  "repo://acme\\..\\other",
  "REPO://acme/b",
  "repo://acme",
  "repo://acme/docs//x",
  "repo://acme/docs/ｘ",
  "repo://{x}/acme",
];
export const NEAR_PROMPTS = ["Review", "review ", "revіew", "fix_", "rev"];
