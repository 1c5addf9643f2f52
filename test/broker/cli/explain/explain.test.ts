/** What `lanyard explain` says to an operator, and that it never shows or takes a token where others could see it. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { explainCommand } from "../../../../broker/cli/explain/explain.ts";
import { VERIFICATION_ORDER } from "../../../../broker/identity/subject-token.ts";
import { type TestBroker, claimsOfJob, startTestBroker } from "../../../support/broker.ts";
import { Holder, exchange } from "../../../support/session-holder.ts";
import { recordTerminal } from "../recorded-terminal.ts";

let on: TestBroker;
let directory: string;
beforeAll(async () => {
  on = await startTestBroker();
  directory = await mkdtemp(join(tmpdir(), "explain-"));
});
afterAll(async () => {
  await on.close();
  await rm(directory, { recursive: true, force: true });
});

async function explain(args: readonly string[], input = "") {
  const terminal = recordTerminal();
  const defaults = {
    policies: on.config.policies,
    issuers: [on.issuer.url],
    privateIssuers: [],
    audience: on.url,
  };
  const io = { terminal, input: Readable.from([input]), now: on.now };
  await explainCommand(defaults, io).parseAsync([...args], { from: "user" });
  return terminal;
}
const asJson = async (args: readonly string[], input = "") => {
  const { out, code } = await explain([...args, "--json"], input);
  return { code, ...JSON.parse(out) };
};
const fileWith = async (name: string, text: string): Promise<string> => {
  const path = join(directory, name);
  await writeFile(path, text);
  return path;
};
const outcomes = (steps: { step: string; outcome: string }[]) =>
  Object.fromEntries(steps.map(({ step, outcome }) => [step, outcome]));

describe("a token", () => {
  test("that matches: every step, every field, exit 0", async () => {
    const keys = await fileWith("keys.json", JSON.stringify({ keys: on.issuer.keys }));
    const { code, out, err } = await explain(["--robot", "triager", "--keys", keys], await on.subjectToken());
    expect([code, err]).toEqual([0, ""]);
    for (const step of VERIFICATION_ORDER) expect(out).toContain(`✓ ${step}`);
    expect(out).toContain("✓ acme/payments/triager, binding 1 (reader, writer)");
    expect(out).toMatch(/✓ event_name +schedule/);
    expect(out).toContain("Matches: acme/payments/triager, binding 1, roles reader, writer");
  });

  test("its steps stand in the order of verification", async () => {
    const { steps } = await asJson(["--robot", "triager"], await on.subjectToken());
    expect(steps.map(({ step }: { step: string }) => step)).toEqual([...VERIFICATION_ORDER]);
  });

  test("without keys the signature is not judged, and that is said", async () => {
    const { code, steps } = await asJson(["--robot", "triager"], await on.subjectToken());
    expect(code).toBe(0);
    expect(outcomes(steps)).toMatchObject({ key: "skipped", signature: "skipped", type: "passed" });
    expect((await explain([], await on.subjectToken())).out).toContain("--keys");
  });

  test("with keys fetched from the issuer, where that is asked for", async () => {
    const before = on.issuer.fetched.keys;
    await asJson(["--robot", "triager"], await on.subjectToken());
    expect(on.issuer.fetched.keys).toBe(before);
    const { steps } = await asJson(["--robot", "triager", "--fetch"], await on.subjectToken());
    expect(outcomes(steps)).toMatchObject({ key: "passed", signature: "passed" });
    expect(on.issuer.fetched.keys).toBe(before + 1);
  });

  test("with several faults: all of them, and exit 1", async () => {
    const keys = await fileWith("keys.json", JSON.stringify({ keys: on.issuer.keys }));
    const token = await on.subjectToken({ aud: "pypi", exp: 3, iat: 1, nbf: 1, event_name: "issues" });
    const spoiled = `${token.slice(0, -8)}AAAAAAAA`;
    const { code, steps, match } = await asJson(["--robot", "triager", "--keys", keys], spoiled);
    expect(code).toBe(1);
    expect(outcomes(steps)).toMatchObject({ signature: "refused", audience: "refused", time: "refused" });
    expect(match.decision).toMatchObject({ ok: false, reason: "no_binding" });
    const field = match.robots[0].bindings[0].fields.find((each: { matches: boolean }) => !each.matches);
    expect(field).toEqual({
      field: "event_name",
      expected: "schedule or workflow_dispatch",
      got: "issues",
      matches: false,
    });
  });

  test("of yesterday is judged as of yesterday", async () => {
    const yesterday = on.now() - 86_400_000;
    const claims = claimsOfJob(on.issuer.url, on.url, yesterday);
    const args = ["--robot", "triager"];
    expect((await explain(args, await on.issuer.sign(claims))).code).toBe(1);
    const at = new Date(yesterday).toISOString();
    expect((await explain([...args, "--at", at], await on.issuer.sign(claims))).code).toBe(0);
  });

  test("of an issuer that is not trusted here, unless it is named", async () => {
    const elsewhere = "https://token.actions.githubusercontent.com";
    const { steps } = await asJson([], await on.subjectToken({ iss: elsewhere }));
    expect(outcomes(steps)).toMatchObject({ form: "passed", issuer: "refused" });
    const named = await asJson(["--issuer", elsewhere, "--issuer", on.issuer.url], await on.subjectToken());
    expect(outcomes(named.steps)).toMatchObject({ issuer: "passed" });
  });

  test("that is none: the form is refused, and there is nothing to compare", async () => {
    const { code, out } = await explain([], "eyJ.x");
    expect(code).toBe(1);
    expect(out).toContain("✗ form");
    expect(out).toContain("there are no claims to compare");
  });

  test("on the command line is refused, whatever else is asked: every process would see it", async () => {
    const token = await on.subjectToken();
    const { code, out, err } = await explain([token]);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain("standard input");
    expect(err).not.toContain(token.slice(0, 40));
    expect((await explain(['{"iss":"x"}'])).code).toBe(2);
  });

  test("is repeated in no output", async () => {
    const token = await on.subjectToken({ event_name: "issues" });
    const path = await fileWith("token.jwt", `${token}\n`);
    for (const args of [[path], [path, "--json"], [path, "--fetch"]]) {
      const { out, err } = await explain(args);
      for (const part of token.split(".")) expect(out + err).not.toContain(part);
    }
  });
});

describe("claims as JSON", () => {
  test("are compared without a token; what a copy leaves out does not matter", async () => {
    const { jti: _jti, aud: _aud, exp: _exp, ...claims } = claimsOfJob(on.issuer.url, on.url, on.now());
    const { code, steps, match } = await asJson(["--robot", "triager"], JSON.stringify(claims, null, 2));
    expect([code, match.decision.ok]).toEqual([0, true]);
    expect(outcomes(steps)).toEqual({ issuer: "passed", claims: "passed" });
  });

  test("which lack what decides: the claims are named", async () => {
    const { ref: _ref, ...claims } = claimsOfJob(on.issuer.url, on.url, on.now());
    const { code, out } = await explain([], JSON.stringify(claims));
    expect(code).toBe(1);
    expect(out).toMatch(/✗ claims +claims_missing: .*ref/);
  });

  test("cannot steer the terminal", async () => {
    const claims = {
      ...claimsOfJob(on.issuer.url, on.url, on.now()),
      ref: "\u001b[2J\u202e\nrefs/heads/main",
    };
    const { out } = await explain(["--robot", "triager"], JSON.stringify(claims));
    expect(out).toContain("✗ ref");
    expect(out).not.toMatch(/[\u001b\u202e]/);
  });
});

describe("robots", () => {
  test("without a name each is shown; the repository has two, so one must be named", async () => {
    const { code, match } = await asJson([], await on.subjectToken());
    expect(code).toBe(1);
    expect(match.decision.reason).toBe("robot_unnamed");
    expect(match.robots.map(({ robot }: { robot: string }) => robot)).toEqual([
      "acme/payments/triager",
      "acme/payments/sleeper",
    ]);
    expect(match.robots[0].bindings[0].matches).toBe(true);
  });

  test("more roles than are bound", async () => {
    const args = ["--robot", "triager", "--role", "reader", "--role", "unused"];
    const { match } = await asJson(args, await on.subjectToken());
    expect(match.decision).toMatchObject({ ok: false, reason: "role_not_bound" });
  });

  test("of a repository that nobody provisioned", async () => {
    const sub = "repo:acme/payments:ref:refs/heads/main";
    const { out, code } = await explain([], await on.subjectToken({ sub, repository_id: "9" }));
    expect(code).toBe(1);
    expect(out).toContain("repository_unknown");
  });
});

describe("a reference", () => {
  test("that a caller was given leads to the code, the field, and what the caller saw", async () => {
    const { body } = await exchange(on, await Holder.create(), {
      subjectToken: await on.subjectToken({ event_name: "issues", run_id: "31337" }),
    });
    const log = await fileWith(
      "broker.log",
      on.logged.map((line) => `broker-1  ${JSON.stringify(line)}`).join("\n"),
    );
    const { code, out } = await explain(["--reference", body.reference, "--log", log]);
    expect(code).toBe(0);
    expect(out).toContain("robot_refused (400)");
    expect(out).toMatch(/event_name.*schedule or workflow_dispatch.*issues/);
    expect(out).toContain(body.error_description);
    const json = await asJson(
      ["--reference", body.reference, "--log", "-"],
      on.logged.map((line) => JSON.stringify(line)).join("\n"),
    );
    expect(json).toMatchObject({ code: "robot_refused", ok: true, reference: body.reference });
  });

  test("of a job that is over leads to the reason, which its caller was not told", async () => {
    const run = { run_id: "31338" };
    await exchange(on, await Holder.create(), {
      subjectToken: await on.subjectToken({ ...run, run_attempt: "2" }),
    });
    const { body } = await exchange(on, await Holder.create(), { subjectToken: await on.subjectToken(run) });
    const lines = on.logged.map((line) => JSON.stringify(line)).join("\n");
    const found = await asJson(["--reference", body.reference, "--log", "-"], lines);
    expect(found).toMatchObject({ ok: true, code: "attempt_over" });
    expect(found.detail).toContain("a later attempt of run 31338 has a session already");
    expect(body.error_description).not.toContain("attempt");
  });

  test("that is in no line: exit 1; lines that are no JSON, or only mention it, are no answer", async () => {
    const reference = "0123456789ab";
    const log = await fileWith(
      "other.log",
      `not json ${reference}\n{"msg":"${reference}"}\n{"reference":"${reference}","code":"nope","detail":""}\n`,
    );
    const { code, out } = await explain(["--reference", reference, "--log", log]);
    expect(code).toBe(1);
    expect(out).toContain(reference);
  });

  test.each([
    [["--reference", "xyz", "--log", "-"], "--reference"],
    [["--reference", "0123456789ab"], "--log"],
    [["--reference", "0123456789ab", "--log", "/nowhere/broker.log"], "/nowhere/broker.log"],
  ])("a wrong call ends with 2: %j", async (args, named) => {
    const { code, err } = await explain(args);
    expect(code).toBe(2);
    expect(err).toContain(named);
  });
});

describe("a wrong call", () => {
  test("ends with 2 and says what to change", async () => {
    const broken = join(directory, "broken");
    await mkdir(broken, { recursive: true });
    const notKeys = await fileWith("not-keys.json", "{}");
    const token = await on.subjectToken();
    for (const [args, input, named] of [
      [[], "", "nothing to explain"],
      [["/nowhere/token"], "", "/nowhere/token"],
      [["--policies", broken], token, "do not load"],
      [["--keys", notKeys], token, "--keys"],
      [["--at", "teatime"], token, "--at"],
    ] as const) {
      const { code, err } = await explain(args, input);
      expect(code, named).toBe(2);
      expect(err).toContain(named);
      const json = await explain([...args, "--json"], input);
      expect(JSON.parse(json.out)).toMatchObject({ ok: false, message: expect.stringContaining(named) });
    }
  });
});
