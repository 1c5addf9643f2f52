/** The order of verification: a token with two faults is refused for the one that comes first, as the page says. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { VERIFICATION_ORDER, createSubjectTokens } from "../../../broker/identity/subject-token.ts";
import { REFUSALS } from "../../../broker/refusals.ts";
import { claimsOfJob } from "../../support/broker.ts";
import { type ScriptedIssuer, startScriptedIssuer } from "../../support/scripted-issuer.ts";

const AUDIENCE = "https://lanyard.acme.dev";
type Step = (typeof VERIFICATION_ORDER)[number];

/** One fault for each step, and the code it is refused with. */
const FAULTS: Record<Step, { code: keyof typeof REFUSALS; header?: object; claims?: object; spoil?: true }> =
  {
    form: { code: "subject_token_malformed", header: { crit: ["exp"] } },
    issuer: { code: "issuer_unknown", claims: { iss: "https://attacker.example" } },
    algorithm: { code: "algorithm_refused", header: { alg: "RS512" } },
    key: { code: "key_unknown", header: { kid: "unknown" } },
    signature: { code: "signature_invalid", spoil: true },
    type: { code: "token_type_wrong", header: { typ: "at+jwt" } },
    audience: { code: "audience_wrong", claims: { aud: "pypi" } },
    time: { code: "subject_token_expired", claims: { iat: 1, nbf: 1, exp: 2 } },
    claims: { code: "claims_missing", claims: { ref: "" } },
  };

let issuer: ScriptedIssuer;
beforeAll(async () => {
  issuer = await startScriptedIssuer();
});
afterAll(async () => {
  await issuer.close();
});

async function codeOf(steps: readonly Step[]): Promise<string> {
  const faults = steps.map((step) => FAULTS[step]);
  const header = Object.assign(
    { typ: "JWT", alg: "RS256", kid: "key-1" },
    ...faults.map((fault) => fault.header),
  );
  const claims = Object.assign(
    claimsOfJob(issuer.url, AUDIENCE, Date.now()),
    ...faults.map((fault) => fault.claims),
  );
  const input = [header, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");
  const { privateKey } = issuer.key;
  const signature = Buffer.from(
    await crypto.subtle.sign("RSASSA-PKCS1-v1_5", privateKey, Buffer.from(input)),
  );
  if (faults.some((fault) => fault.spoil)) signature[0] = (signature[0] ?? 0) ^ 1;
  const tokens = createSubjectTokens({ issuers: [issuer.url], audience: AUDIENCE, now: Date.now });
  const verified = await tokens.verify(`${input}.${signature.toString("base64url")}`);
  return verified.ok ? "accepted" : verified.code;
}

test("without a fault it is accepted", async () => {
  expect(await codeOf([])).toBe("accepted");
});

describe.each(VERIFICATION_ORDER.map((step, index) => [step, VERIFICATION_ORDER.slice(index + 1)] as const))(
  "%s",
  (step, later) => {
    test("alone is refused with its code", async () => {
      expect(await codeOf([step])).toBe(FAULTS[step].code);
    });

    test.each(later)("comes before %s", async (other) => {
      expect(await codeOf([step, other])).toBe(FAULTS[step].code);
    });
  },
);

describe("docs/verification.md", () => {
  const read = async (): Promise<string> =>
    readFile(join(import.meta.dirname, "../../../docs/verification.md"), "utf8");

  test("lists the steps of the token in this order, each with the code that its fault is refused with", async () => {
    const rows = (await read()).match(/^\| \d+ \| `[a-z]+` \|.*$/gm) ?? [];
    expect(rows.map((row) => /`([a-z]+)`/.exec(row)?.[1])).toEqual([...VERIFICATION_ORDER]);
    for (const [index, step] of VERIFICATION_ORDER.entries()) {
      expect(rows[index], step).toContain(`\`${FAULTS[step].code}\``);
    }
  });

  test("names every code that a subject token can be refused with, and no code that does not exist", async () => {
    const page = await read();
    const named = new Set([...page.matchAll(/`([a-z]+(?:_[a-z]+)+)`/g)].map(([, name = ""]) => name));
    const known = new Set<string>(Object.keys(REFUSALS));
    const codes = [...named].filter((name) => !CLAIMS_AND_REASONS.has(name));
    expect(codes.filter((name) => !known.has(name))).toEqual([]);
    const sources = await Promise.all(
      ["token-form", "token-signature", "token-claims", "subject-token"].map(async (name) =>
        readFile(join(import.meta.dirname, `../../../broker/identity/${name}.ts`), "utf8"),
      ),
    );
    const refused = [...sources.join("\n").matchAll(/refuse(?:Member)?\(\s*"([a-z_]+)"/g)].map(
      ([, code = ""]) => code,
    );
    expect(refused.length).toBeGreaterThan(10);
    expect([...new Set(refused)].filter((code) => !named.has(code))).toEqual([]);
  });
});

/** What the page names besides codes. */
const CLAIMS_AND_REASONS = new Set([
  ...[
    "key_ops",
    "event_name",
    "repository_id",
    "repository_owner_id",
    "repository_owner",
    "runner_environment",
  ],
  ...["workflow_ref", "job_workflow_ref", "base_ref", "run_id", "run_attempt", "check_run_id", "jwks_uri"],
  ...["id_token_signing_alg_values_supported", "read_only", "accept_untrusted"],
  ...["claims_contradictory", "repository_unknown", "owner_mismatch", "robot_unnamed", "robot_unknown"],
  ...["no_binding", "role_not_bound"],
]);
