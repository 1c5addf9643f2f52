/**
 * Secrets that were written into a document by mistake, where everybody reads them: found in its text as it stands, in
 * comments and in what is no YAML too. What is said of one is its line, never its value.
 */
import type { PolicyFile } from "../documents/document.ts";
import { findLine } from "../documents/place.ts";
import type { Problem } from "../documents/problem.ts";

/** How secrets of the services begin that mark theirs, and so much after it that no word looks like it. */
const FORMATS: readonly (readonly [what: string, pattern: string])[] = [
  ["Lanyard token", "(?:lanyard_[a-z]{1,16}_|lop_)[A-Za-z0-9_-]{16,}"],
  ["GitHub token", "(?:gh[oprsu]_|github_pat_)[A-Za-z0-9_]{20,}"],
  ["GitLab token", "gl(?:pat|rt|cbt|dt|ptt|soat)-[A-Za-z0-9_.-]{20,}"],
  ["Anthropic key", "sk-ant-[A-Za-z0-9_-]{16,}"],
  ["OpenAI key", "sk-(?=[A-Za-z_-]{0,64}[0-9])[A-Za-z0-9_-]{20,}"],
  ["Stripe key", "[rs]k_(?:live|test)_[A-Za-z0-9]{16,}"],
  ["AWS key", "(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}(?![A-Za-z0-9])"],
  ["Google key", "(?:AIza[A-Za-z0-9_-]{35}|ya29\\.[A-Za-z0-9_.-]{20,})"],
  ["Slack token", "(?:xox[a-z][-.]|xapp-)[A-Za-z0-9.-]{10,}"],
  ["npm token", "npm_[A-Za-z0-9]{36,}"],
  ["PyPI token", "pypi-[A-Za-z0-9_-]{50,}"],
  ["HuggingFace token", "hf_[A-Za-z0-9]{30,}"],
  ["Docker token", "dckr_(?:pat|oat)_[A-Za-z0-9_-]{20,}"],
  ["DigitalOcean token", "do[opr]_v1_[a-f0-9]{64}"],
  ["Notion token", "ntn_[A-Za-z0-9]{40,}"],
  ["Linear key", "lin_(?:api|oauth)_[A-Za-z0-9]{32,}"],
  ["SendGrid key", "SG\\.[A-Za-z0-9_-]{16,}\\.[A-Za-z0-9_-]{16,}"],
  ["JWT", "eyJ[\\w-]{8,}\\.[\\w-]*\\.[\\w-]{8,}"],
  ["private key", "-----BEGIN\\s(?:[A-Z0-9]{1,16}\\s){0,3}PRIVATE\\sKEY"],
];

const PATTERN = new RegExp(
  `(?<![A-Za-z0-9])(?:${FORMATS.map(([, pattern], index) => `(?<f${index}>${pattern})`).join("|")})`,
  "g",
);

export function findWrittenSecrets({ path, text }: PolicyFile): Problem[] {
  return [...text.matchAll(PATTERN)].map(({ index, groups = {} }) => {
    const [what] = FORMATS.find((_, number) => groups[`f${number}`] !== undefined) ?? ["secret"];
    const message = `a secret (${what}) stands here, where everybody reads it: revoke it where it came from, remove it, and store a new one with lanyard credential set`;
    return { file: path, ...findLine(text, index), key: "", message, concealed: true as const };
  });
}
