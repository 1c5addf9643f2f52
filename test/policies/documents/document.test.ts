import { describe, expect, it } from "vitest";
import { problemsOf, renderProblem, robots, roles, servers } from "../fixtures.ts";
import { readDocument } from "../../../policies/documents/document.ts";
import { RobotsDocument } from "../../../policies/documents/robots-document.ts";

const inServers = (from: string, to: string) => problemsOf({ servers: servers.replace(from, to) });
const inRoles = (from: string, to: string) => problemsOf({ roles: roles.replace(from, to) });
const inRobots = (from: string, to: string) => problemsOf({ robots: robots.replace(from, to) });

describe("a message about a policy document", () => {
  it("is absent where nothing is wrong", () => {
    expect(problemsOf({})).toEqual([]);
  });

  it("names the key that was meant where a key is mistyped", () => {
    expect(inServers("    url:", "    urll:")).toContain(
      'servers.yaml:3:5 servers.github.urll: unknown key "urll": did you mean "url"?',
    );
  });

  it.each([
    [
      "a password",
      "    url:",
      "    password: x\n    url:",
      "there is url, command, env, start, private, credential, limits, reads, writes, tools",
    ],
    [
      "an owner",
      "{ read_only: false }",
      "{ read_only: false, owner: x }",
      "there is read_only, reads, writes",
    ],
  ])("lists what exists where a server has %s", (_, from, to, known) => {
    expect(inServers(from, to).join()).toContain(known);
  });

  it("tells to quote an id that YAML takes for a number", () => {
    expect(inRobots('"456789"', "456789")).toEqual([
      'robots/acme/payments.yaml:3:16 repository_id: expected text, got the number 456789: write it in quotes, "456789"',
    ]);
  });

  it("repeats a large id digit by digit, not as the number that YAML made of it", () => {
    expect(inRobots('"456789"', "12345678901234567890").join()).toContain('"12345678901234567890"');
  });

  it("says what a missing key is for", () => {
    expect(inRobots("        events: [pull_request]\n", "")).toEqual([
      "robots/acme/payments.yaml:14:9 robots.triager.bindings[1].events: " +
        '"events" is missing. The events that may have triggered the run: [schedule, workflow_dispatch].',
    ]);
  });

  it.each([
    ["an empty list", "[get_issue, list_issues]", "[]", "roles.reader.grants[0].tools: the list is empty"],
    ["one value in place of a list", "[get_*]", "get_*", "expected a list: [get_*]"],
    ["a list in place of a value", "server: github", "server: [github]", "expected text, got a list"],
    [
      "a key without a value",
      "when: args.owner == run.repository_owner && args.repo == run.repository_name",
      "when:",
      "nothing stands here",
    ],
    [
      "an empty text",
      "when: args.owner == run.repository_owner && args.repo == run.repository_name",
      'when: ""',
      "this is empty",
    ],
    ["a * in the middle", "get_*", "get_*_x", "one * at its end"],
    ["two *", "get_*", "get_**", "one * at its end"],
    ["a regular expression", "[get_*]", '["get_.+ *"]', "one * at its end"],
  ])("says what to write in place of %s", (_, from, to, message) => {
    expect(inRoles(from, to).join()).toContain(message);
  });

  it.each([
    ["a number as environment", "{ FILE", "{ PORT: 8080, FILE", 'write it in quotes, "8080"'],
    ["yes for a boolean", "read_only: false", "read_only: yes", 'expected true or false, got "yes"'],
    ["another start", "eager", "now", '"now": expected eager or lazy'],
    ["an upper-case name", "  memory:", "  Memory:", '"Memory": expected lower-case letters'],
    ["a name that objects have", "  memory:", "  constructor:", '"constructor": expected lower-case letters'],
    ["plain http to another host", "https://mcp.example.com/mcp", "http://mcp.example.com/mcp", "use https"],
    ["a password in a URL", "https://mcp", "https://u:p@mcp", "policies hold no secrets"],
    ["another scheme", "https://mcp.example.com/mcp", "file:///etc/passwd", "begins with https://"],
    [
      "a command beside a url",
      "    tools:",
      "    command: [x]\n    tools:",
      "a server with a url has no command",
    ],
    ["no url and no command", "    url: https://mcp.example.com/mcp\n", "", "write a url"],
    [
      "a variable that does not exist",
      "{workspace}",
      "--dir={workspce}",
      'unknown variable {workspce}: did you mean "workspace"?',
    ],
    ["a secret", "{runner_temp}", "{secret:x}", "unknown variable {secret:x}"],
  ])("says what is wrong with %s", (_, from, to, message) => {
    expect(inServers(from, to).join()).toContain(message);
  });

  it("places a variable at its own character", () => {
    expect(inServers("{workspace}", "--dir={workspce}").join()).toContain("servers.yaml:9:44 ");
  });

  it.each([
    ["a branch without refs/heads/", "refs/heads/main", "main", "one branch or tag in full"],
    ["a pattern of branches", "refs/heads/main", "refs/heads/*", "one branch or tag in full"],
    ["a climbing branch", "refs/heads/main", "refs/heads/../main", "one branch or tag in full"],
    ["a pull request's ref", "refs/heads/main", "refs/pull/1/merge", "pull_request: { base_ref: main }"],
    ["an empty ref", "ref: refs/heads/main", 'ref: ""', "one branch or tag in full"],
    [
      "a base_ref in full",
      "base_ref: main",
      "base_ref: refs/heads/main",
      "the plain name of the target branch",
    ],
    [
      "a workflow elsewhere",
      ".github/workflows/review.yml",
      "workflows/review.yml",
      "the path of one workflow file",
    ],
    ["a workflow pattern", "review.yml", "*.yml", "the path of one workflow file"],
    ["a workflow with a ref", "review.yml", "review.yml@refs/heads/main", "the path of one workflow file"],
    [
      "a workflow that climbs",
      "workflows/review.yml",
      "workflows/../review.yml",
      "the path of one workflow file",
    ],
    ["an empty environment", "environment: agents", 'environment: ""', "this is empty"],
    ["another runner", "github-hosted", "ubuntu-latest", "expected github-hosted or self-hosted"],
    ["an event in upper case", "schedule", "Schedule", "the name of an event"],
    ["an issuer with a slash", "githubusercontent.com", "githubusercontent.com/", "no slash at the end"],
    ["an issuer in upper case", "https://token", "https://TOKEN", "in its plain form: https://token."],
    ["an id of zero", '"456789"', '"0"', "a decimal id"],
    ["a ttl without a unit", "ttl: 10m", 'ttl: "10"', "a whole number with a unit"],
    ["a ttl of hours", "ttl: 10m", "ttl: 2h", "between 1m and 1h"],
    ["a max below the ttl", "max: 2h", "max: 5m", "a session lasts 10m already"],
    ["a max of a year", "max: 2h", "max: 9000h", "at most 120h"],
    ["no robot", robots.slice(robots.indexOf("robots:")), "robots: {}\n", "there is no robot"],
    [
      "a climbing repository",
      "repository: acme/payments",
      "repository: acme/../payments",
      "expected OWNER/REPO",
    ],
  ])("says what is wrong with %s", (_, from, to, message) => {
    expect(inRobots(from, to).join()).toContain(message);
  });

  it("is one of all that there are, in the order of files and lines", () => {
    const found = problemsOf({
      servers: servers.replace("    url:", "    urll:"),
      roles: roles.replace("get_*", "get_**").replace("server: github", "servr: github"),
      robots: robots.replace('"456789"', "456789").replace("schedule", "Schedule"),
    });
    expect(found.map((problem) => problem.slice(0, problem.indexOf(": ")))).toEqual([
      "robots/acme/payments.yaml:3:16 repository_id",
      "robots/acme/payments.yaml:9:18 robots.triager.bindings[0].events[0]",
      "roles.yaml:4:9 roles.reader.grants[0].server",
      "roles.yaml:4:9 roles.reader.grants[0].servr",
      "roles.yaml:14:17 roles.browser.grants[0].tools[0]",
      "servers.yaml:3:5 servers.github.urll",
    ]);
  });

  it("is about the document where the document is empty", () => {
    const read = readDocument(RobotsDocument, { path: "robots/acme/payments.yaml", text: "# nothing\n" });
    expect(read.ok ? [] : read.problems.map(renderProblem)).toEqual([
      "robots/acme/payments.yaml:1:1 : the document is empty",
    ]);
  });
});
