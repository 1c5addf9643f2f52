/** `lanyard provision` asks GitHub: what it is told, what it makes of GitHub's refusals, and where the token goes. */
import type { ServerResponse } from "node:http";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { askGithub } from "../../../../broker/cli/provision/github-repository.ts";
import { provisionCommand } from "../../../../broker/cli/provision/provision.ts";
import { type GithubPeer, startGithubPeer } from "../../../support/github-peer.ts";
import { recordTerminal } from "../recorded-terminal.ts";

const starter = join(import.meta.dirname, "../../../../policies/starter");
const triage = [
  ...["--workflow", ".github/workflows/triage.yml", "--event", "schedule"],
  ...["--ref", "refs/heads/main", "--role", "reader"],
];

let directory: string;
let github: GithubPeer;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "policies-"));
  await cp(starter, directory, { recursive: true });
  github = await startGithubPeer();
  github.repositories.set("acme/payments", { id: 456789, ownerId: 123456 });
});
afterEach(async () => {
  await github.close();
  await rm(directory, { recursive: true, force: true });
});

const run = async (args: string[], config: { token?: string | undefined; apiUrl?: string } = {}) => {
  const terminal = recordTerminal();
  const { token, apiUrl } = { token: github.token, apiUrl: github.apiUrl, ...config };
  const command = provisionCommand({ policies: directory }, terminal, { token, apiUrl }).exitOverride();
  command.configureOutput({ writeErr: (text) => terminal.writeError(text) });
  await command.parseAsync([...args, ...triage, "--yes"], { from: "user" });
  return terminal;
};
const document = async (): Promise<string> =>
  readFile(join(directory, "robots/acme/payments.yaml"), "utf8").catch(() => "");
const robot = ["acme/payments", "triager"];

test("the ids and the issuer are what GitHub says; it shows them and writes them", async () => {
  const { code, out, err } = await run(robot);
  expect([code, err]).toEqual([0, ""]);
  expect(out).toContain(`GitHub: acme/payments is 456789, its owner 123456, issuer ${github.issuer}\n`);
  const text = await document();
  expect(out).toContain(text);
  expect(text).toContain(`issuer: ${github.issuer}\n`);
  expect(text).toContain('repository_id: "456789"\n');
  expect(text).toContain('repository_owner_id: "123456"\n');
  const [asked] = github.asked;
  expect(asked?.headers.authorization).toBe(`Bearer ${github.token}`);
  expect(asked?.headers["x-github-api-version"]).toBe("2022-11-28");
});

test("as JSON, with the source of the ids", async () => {
  const { out } = await run([...robot, "--json"]);
  expect(JSON.parse(out)).toMatchObject({
    ok: true,
    written: true,
    identity: {
      issuer: github.issuer,
      repository_id: "456789",
      repository_owner_id: "123456",
      source: "github",
    },
    warnings: [],
  });
});

test("with both ids given GitHub is not asked", async () => {
  await run([...robot, "--repository-id", "1", "--owner-id", "2"]);
  expect(github.asked).toEqual([]);
  expect(await document()).toContain("issuer: https://token.actions.githubusercontent.com\n");
});

test("without a token and without ids it says what to do", async () => {
  const { code, err } = await run(robot, { token: undefined });
  expect(code).toBe(2);
  expect(err).toContain("say --repository-id and --owner-id, or set GITHUB_TOKEN");
  expect(github.asked).toEqual([]);
});

test.each([
  [["--repository-id", "999"], "you say --repository-id 999, GitHub says 456789"],
  [["--owner-id", "999"], "you say --owner-id 999, GitHub says 123456"],
  [["--issuer", "https://token.actions.githubusercontent.com"], "you say --issuer https://token.actions"],
])("what is given and is not what GitHub says is refused: %j", async (more, message) => {
  const { code, err } = await run([...robot, ...more]);
  expect(code).toBe(1);
  expect(err).toContain(message);
  expect(await document()).toBe("");
});

test("an enterprise's own issuer below GitHub's is taken as given", async () => {
  await run([...robot, "--issuer", `${github.issuer}/acme-inc`]);
  expect(await document()).toContain(`issuer: ${github.issuer}/acme-inc\n`);
});

test.each([
  ["none", null],
  ["another's", "https://token.actions.githubusercontent.com"],
])("an issuer whose discovery document is %s is warned of", async (_, discovered) => {
  github.discovered = discovered;
  const { code, err } = await run(robot);
  expect(code).toBe(0);
  expect(err).toContain(`warning: ${github.issuer} could not be confirmed as an issuer`);
});

test("a `sub` of its own making is mentioned, as nothing goes by it", async () => {
  const subject = { use_default: false, include_claim_keys: ["repo", "context", "x\u001b[31m"] };
  github.repositories.set("acme/payments", { id: 456789, ownerId: 123456, subject });
  const { code, err } = await run(robot);
  expect(code).toBe(0);
  expect(err).toContain("`sub` made of repo, context, x??31m: bindings do not go by it");
});

describe("GitHub says no", () => {
  const answer = (status: number, headers: Record<string, string> = {}, body = "{}") => {
    github.answer = (response: ServerResponse) => void response.writeHead(status, headers).end(body);
  };
  const limit = { "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1800000000" };
  test.each([
    ["403, rights", 403, {}, "may not read acme/payments"],
    [
      "403, single sign-on",
      403,
      { "x-github-sso": "required; url=https://github.com/canary" },
      "single sign-on",
    ],
    ["403, rate limit", 403, limit, "rate limit for this token is used up until 2027-01-15T08:00:00.000Z"],
    ["403, secondary rate limit", 403, { "retry-after": "60" }, "used up: try again later"],
    ["429", 429, {}, "rate limit for this token is used up"],
    ["500", 500, {}, "GitHub answered with status 500"],
    ["302 to elsewhere", 302, { location: "http://canary.invalid/" }, "was renamed or moved"],
  ])("%s", async (_, status, headers, message) => {
    answer(status, headers, '{"message":"canary"}');
    const { code, err, out } = await run(robot);
    expect(code).toBe(1);
    expect(err).toContain(message);
    expect(out + err).not.toContain("canary");
    expect(await document()).toBe("");
  });

  test.each([
    ["no JSON", "canary"],
    ["no id", '{"full_name":"acme/payments","owner":{"id":1}}'],
    ["an id that is text", '{"id":"456789","full_name":"acme/payments","owner":{"id":1}}'],
    ["2 MB", `{"id":1,"full_name":"acme/payments","owner":{"id":1},"x":"${"y".repeat(2_000_000)}"}`],
  ])("an answer that is not GitHub's: %s", async (_, body) => {
    answer(200, {}, body);
    const { code, err } = await run(robot);
    expect([code, err]).toEqual([1, expect.stringContaining("something that is not GitHub's")]);
  });

  test("401", async () => {
    const { code, err } = await run(robot, { token: "github_pat_canary-expired" });
    expect(code).toBe(1);
    expect(err).toContain("GitHub does not accept GITHUB_TOKEN");
    expect(err).not.toContain("canary");
  });

  test("404: it knows no such repository, or does not say", async () => {
    const { code, err } = await run(["acme/secrets", "triager"]);
    expect([code, err]).toEqual([1, "GitHub knows no acme/secrets, or GITHUB_TOKEN may not see it\n"]);
  });

  test("301: renamed; the token is not sent on", async () => {
    github.renamed.set("acme/old", 456789);
    const { code, err } = await run(["acme/old", "triager"]);
    expect([code, err]).toEqual([1, "acme/old was renamed or moved: use its present name\n"]);
    expect(github.asked).toHaveLength(1);
  });

  test("another spelling of the name, which would match no job", async () => {
    const { code, err } = await run(["Acme/Payments", "triager"]);
    expect([code, err]).toEqual([1, 'GitHub calls it "acme/payments": use that name\n']);
  });

  test("nobody answers", async () => {
    await github.close();
    const { code, err } = await run(robot);
    const { host } = new URL(github.apiUrl);
    expect([code, err]).toEqual([1, `${host} could not be reached (ECONNREFUSED)\n`]);
  });
});

test.each([
  "http://github.acme.internal/api/v3",
  "ftp://127.0.0.1/",
  "https://user:pass@127.0.0.1/",
  "github.com",
])("the token is not sent to %s", async (apiUrl) => {
  const { code, err } = await run(robot, { apiUrl });
  expect([code, err]).toEqual([1, "the address of GitHub's API must begin with https://\n"]);
});

test.each(["../../user", "acme/payments/../../user", "acme/payments?x", "acme/%2e%2e"])(
  "a repository named %j asks for nothing else at GitHub",
  async (repository) => {
    const { code } = await run([repository, "triager"]);
    expect(code).toBe(2);
    expect(github.asked).toEqual([]);
  },
);

describe("the issuer by the API's address", () => {
  test("of an Enterprise Server", async () => {
    expect(await askGithub("acme/payments", github)).toMatchObject({ issuer: github.issuer });
  });

  test("that is behind something else cannot be told", async () => {
    const apiUrl = github.apiUrl.replace("/api/v3", "/proxy/api/v3");
    expect(await askGithub("acme/payments", { apiUrl, token: github.token })).toMatchObject({
      ok: false,
      code: "repository_unknown",
    });
  });
});

describe("what somebody else wrote meanwhile stays", () => {
  const path = () => join(directory, "robots/acme/payments.yaml");
  const meanwhile = async (text: string, args: string[] = robot) => {
    const terminal = recordTerminal(true);
    const confirming = {
      ...terminal,
      confirm: async () => {
        await mkdir(join(path(), ".."), { recursive: true });
        await writeFile(path(), text);
        return true;
      },
    };
    let code: number | undefined;
    let err = "";
    const command = provisionCommand(
      { policies: directory },
      Object.assign(confirming, {
        writeError: (line: string) => void (err += line),
        write: () => undefined,
        exit: (given: number) => void (code = given),
      }),
      { token: github.token, apiUrl: github.apiUrl },
    );
    await command.parseAsync([...args, ...triage], { from: "user" });
    return { code, err };
  };

  test("a document that was not there when it was planned", async () => {
    const { code, err } = await meanwhile("somebody else's");
    expect(code).toBe(1);
    expect(err).toContain("was changed by somebody else meanwhile: nothing was written");
    expect(await document()).toBe("somebody else's");
  });

  test("a document that was there and was changed", async () => {
    await run(robot);
    const changed = `${await document()}# changed\n`;
    const { code } = await meanwhile(changed, ["acme/payments", "helper"]);
    expect(code).toBe(1);
    expect(await document()).toBe(changed);
  });
});
