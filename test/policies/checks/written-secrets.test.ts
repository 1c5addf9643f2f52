/** Secrets in a document are found by their form, wherever they stand, and never repeated. */
import { expect, test } from "vitest";
import { TOKEN_FORMATS } from "../../../audit/redaction/token-formats.ts";
import { findWrittenSecrets } from "../../../policies/checks/written-secrets.ts";
import { reportProblem } from "../../../broker/cli/problem-report.ts";
import { assemblePolicies } from "../../../policies/loading.ts";
import { filesOf, servers } from "../fixtures.ts";

const letters = (length: number): string => "aB3d".repeat(Math.ceil(length / 4)).slice(0, length);

/** Written in pieces, so that this file holds nothing that looks like a secret to whoever scans it. */
const samples = [
  ...["lanyard_agent_", "lop_", "ghp_", "ghs_", "github_pat_", "glpat-", "sk-ant-", "sk-", "sk_live_"],
  ...["ya29.", "xoxb-", "npm_", "hf_", "dckr_pat_", "ntn_", "lin_api_"],
]
  .map((prefix) => `${prefix}${letters(48)}`)
  .concat(
    `AKIA${"ABCD2345".repeat(2)}`,
    `AIza${letters(35)}`,
    `pypi-${letters(60)}`,
    `dop_v1_${"0a".repeat(32)}`,
  )
  .concat(`SG.${letters(20)}.${letters(40)}`, `eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJyZXBvIn0.${letters(40)}`)
  .concat(`-----BEGIN ${"PRIVATE KEY"}-----`, `-----BEGIN ${"RSA PRIVATE KEY"}-----`);

test("the samples are of every form that the log knows", () => {
  for (const { kind, pattern } of TOKEN_FORMATS) {
    expect(
      samples.some((sample) => pattern.test(sample)),
      kind,
    ).toBe(true);
  }
});

test.each(samples.map((sample) => [sample.slice(0, 12), sample]))(
  "%s… is found in a value, a comment and what is no YAML, and not repeated",
  (_, sample) => {
    for (const line of [`    env: { TOKEN: "${sample}" }`, `# ${sample}`, `{{${sample}`]) {
      const file = { path: "servers.yaml", text: `servers:\n${line}\n` };
      const [found, ...others] = findWrittenSecrets(file);
      expect(others).toEqual([]);
      expect(found).toMatchObject({ file: "servers.yaml", line: 2, column: line.indexOf(sample) + 1 });
      const loaded = assemblePolicies(filesOf({ servers: file.text }));
      expect(!loaded.ok && loaded.problems).toContainEqual(found);
      const said =
        JSON.stringify(loaded) + (found && reportProblem(found, { directory: ".", files: [file] }, "error"));
      expect(said).not.toContain(sample.slice(6));
    }
  },
);

test("documents that hold none have none", () => {
  expect(findWrittenSecrets({ path: "servers.yaml", text: servers })).toEqual([]);
  for (const word of [
    "task-force-of-the-year-2026",
    "risk-assessment-tool-v2",
    "npm_config_registry",
    "AKIA",
  ]) {
    expect(findWrittenSecrets({ path: "servers.yaml", text: word })).toEqual([]);
  }
});

test("the line of a problem with a credential is not shown, since that is where secrets are written", () => {
  const text = `${servers}credentials:\n  a: { kind: bearer, secret: hunter2hunter2 }\n  b: { kind: headers, headers: { X-Key: hunter3hunter3 } }\n`;
  const files = filesOf({ servers: text });
  const loaded = assemblePolicies(files);
  expect(loaded.ok).toBe(false);
  const said = loaded.ok
    ? ""
    : loaded.problems.map((each) => reportProblem(each, { directory: ".", files }, "error"));
  expect(String(said)).toContain('unknown key "secret"');
  expect(String(said)).not.toContain("hunter");
});
