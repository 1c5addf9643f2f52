import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { assemblePolicies, loadPolicies } from "../../policies/loading.ts";
import { filesOf, problemsOf, renderProblem, robots, robotsWith, roles, servers } from "./fixtures.ts";

describe("policies, checked together", () => {
  it.each([
    [
      "a grant of an unknown server",
      { roles: roles.replace("server: github", "server: githb") },
      'roles.yaml:4:17 roles.reader.grants[0].server: there is no server "githb" in servers.yaml: did you mean "github"?',
    ],
    [
      "a binding to an unknown role",
      { robots: robots.replace("[reader]", "[readr]") },
      'there is no role "readr" in roles.yaml: did you mean "reader"?',
    ],
    [
      "a tool twice",
      { roles: roles.replace("list_issues]", "get_issue]") },
      'roles.reader.grants[0].tools[1]: "get_issue" is in the list twice',
    ],
    [
      "an event twice",
      { robots: robots.replace("workflow_dispatch]", "schedule]") },
      '"schedule" is in the list twice',
    ],
    [
      "a role twice",
      { robots: robots.replace("[commenter, reader]", "[reader, reader]") },
      '"reader" is in the list twice',
    ],
    [
      "a document in the place of another",
      { robotsPath: "robots/acme/ledger.yaml" },
      "robots/acme/ledger.yaml:2:13 repository: this file is about acme/payments: it must be robots/acme/payments.yaml",
    ],
    [
      "a document in another case",
      { robotsPath: "robots/Acme/payments.yaml" },
      "it must be robots/acme/payments.yaml",
    ],
    [
      "a condition that does not parse",
      { roles: roles.replace("args.owner ==", "args.owner =") },
      "roles.yaml:10:26 roles.commenter.grants[0].when: one = compares nothing: write ==",
    ],
    [
      "an unknown variable",
      { roles: roles.replace("when: args.owner", "when: arg.owner") },
      'roles.yaml:10:15 roles.commenter.grants[0].when: unknown variable "arg": did you mean "args"?',
    ],
    [
      "an unknown claim",
      { roles: roles.replace("run.repository_name", "run.repositry_name") },
      'a run has no "repositry_name": did you mean "repository_name"?',
    ],
    [
      "types that never compare",
      { roles: roles.replace("args.repo == run.repository_name", "run.repository_id == 456789") },
      "no such overload: string == int",
    ],
    [
      "a condition that is no condition",
      { roles: roles.replace(/when: .*/, "when: size(tool)") },
      "a condition is true or false, but this is of type int",
    ],
    [
      "a regular expression in a condition",
      { roles: roles.replace(/when: .*/, "when: tool.matches('a+')") },
      "there is no method .matches()",
    ],
  ])("refuse %s", (_, directory, message) => {
    expect(problemsOf(directory).join("\n")).toContain(message);
  });

  it("say nothing about roles while the roles cannot be read", () => {
    const found = problemsOf({ roles: "roles: 1\n", servers: "servers: {}\n" });
    expect(found).toEqual(["roles.yaml:1:8 roles: expected keys with values, got the number 1"]);
  });

  it("refuse two documents about one repository", () => {
    const again = robots.replace("repository: acme/payments", "repository: acme/ledger");
    const loaded = assemblePolicies([...filesOf({}), { path: "robots/acme/ledger.yaml", text: again }]);
    expect(loaded.ok ? [] : loaded.problems.map(renderProblem)).toEqual([
      "robots/acme/ledger.yaml:3:16 repository_id: robots/acme/payments.yaml has the same issuer and id: one of them is wrong",
    ]);
  });

  it("keep apart the same ids of two issuers", () => {
    const other = robots.replace("token.actions.githubusercontent.com", "ghes.example.com/_services/token");
    const path = "robots/acme/ledger.yaml";
    const text = other.replace("repository: acme/payments", "repository: acme/ledger");
    const loaded = assemblePolicies([...filesOf({}), { path, text }]);
    expect(loaded.ok && loaded.policies.repositories.size).toBe(2);
  });
});

const binding = (fields: string): string =>
  `      - workflow: .github/workflows/triage.yml\n${fields.replace(/^/gm, "        ")}\n`;
const main = "events: [schedule]\nref: refs/heads/main\nroles: [reader]";

describe("a binding", () => {
  it.each([
    ["without ref and pull_request", "events: [schedule]\nroles: [reader]", '"ref" is missing'],
    ["with ref and pull_request", `${main}\npull_request: { base_ref: main }`, "it stands in place of ref"],
    [
      "of push to a pull request",
      "events: [push]\npull_request: { base_ref: main }\nroles: [reader]",
      "push never runs on the merge commit",
    ],
    [
      "of pull_request_target to a merge commit",
      "events: [pull_request_target]\npull_request: { base_ref: main }\nroles: [reader]",
      "pull_request_target never runs on the merge commit",
    ],
    [
      "of merge_group to main",
      "events: [merge_group]\nref: refs/heads/main\nroles: [reader]",
      "merge_group runs on refs/heads/gh-readonly-queue/",
    ],
    [
      "of release to main",
      "events: [release]\nref: refs/heads/main\nroles: [reader]",
      "release runs on the tag",
    ],
    [
      "that accepts what cannot happen",
      `${main}\naccept_untrusted: true`,
      "no event here can be caused by outsiders: remove it",
    ],
  ])("is refused %s", (_, fields, message) => {
    expect(problemsOf({ robots: robotsWith(binding(fields)) }).join("\n")).toContain(message);
  });

  it.each([
    ["the same again", main],
    ["the same with an environment", `${main}\nenvironment: agents`],
    ["the same with the runner that is meant anyway", `${main}\nrunner: github-hosted`],
    ["the same with other roles", main.replace("reader", "commenter")],
  ])("is refused where an earlier one always decides: %s", (_, fields) => {
    expect(problemsOf({ robots: robotsWith(binding(main) + binding(fields)) })).toEqual([
      "robots/acme/payments.yaml:12:9 robots.triager.bindings[1]: this binding never matches: binding 1 always decides before it",
    ]);
  });

  it("is told which of its events are never reached", () => {
    const second = binding(main.replace("[schedule]", "[push, schedule]"));
    expect(problemsOf({ robots: robotsWith(binding(main) + second) })).toEqual([
      "robots/acme/payments.yaml:13:24 robots.triager.bindings[1].events[1]: never reached: binding 1 always decides before it",
    ]);
  });

  it.each([
    ["another branch", main.replace("main", "release")],
    ["a tag of the same name", main.replace("heads", "tags")],
    ["another event", main.replace("schedule", "push")],
    ["another runner", `${main}\nrunner: self-hosted`],
    [
      "a reusable workflow",
      `${main}\njob_workflow_ref: acme/flows/.github/workflows/x.yml@${"a".repeat(40)}`,
    ],
  ])("may follow one that differs in %s", (_, fields) => {
    expect(problemsOf({ robots: robotsWith(binding(main) + binding(fields)) })).toEqual([]);
  });

  it("without an environment may follow one with it", () => {
    expect(
      problemsOf({ robots: robotsWith(binding(`${main}\nenvironment: agents`) + binding(main)) }),
    ).toEqual([]);
  });
});

describe("a binding that outsiders can reach", () => {
  const onIssue = (role: string, more = "") =>
    problemsOf({
      robots: robotsWith(
        binding(`events: [schedule, issue_comment]\nref: refs/heads/main\nroles: [${role}]${more}`),
      ),
    });

  it("may hold roles of tools that are marked read_only", () => {
    expect(onIssue("reader")).toEqual([]);
  });

  it("may not hold a role that reaches another tool", () => {
    expect(onIssue("commenter")).toEqual([
      "robots/acme/payments.yaml:11:17 robots.triager.bindings[0].roles[0]: outsiders can cause issue_comment, " +
        "but commenter reaches add_comment of github: give a role of tools that servers.yaml marks read_only " +
        "(named one by one), or say accept_untrusted: true",
    ]);
  });

  it("may not hold a pattern, which reaches tools that nobody has seen", () => {
    expect(onIssue("browser").join()).toContain("browser reaches get_* of github");
  });

  it("may not hold a tool that the registry does not know", () => {
    const unmarked = servers.replace("      get_issue: { read_only: true }\n", "");
    const text = robotsWith(binding("events: [issues]\nref: refs/heads/main\nroles: [reader]"));
    expect(problemsOf({ servers: unmarked, robots: text }).join()).toContain(
      "reader reaches get_issue of github",
    );
  });

  it("may hold anything where that is accepted in writing, and is then warned about", () => {
    const text = robotsWith(
      binding("events: [issue_comment]\nref: refs/heads/main\nroles: [commenter]\naccept_untrusted: true"),
    );
    const loaded = assemblePolicies(filesOf({ robots: text }));
    expect(loaded.ok && loaded.warnings.map(renderProblem)).toEqual([
      "robots/acme/payments.yaml:12:9 robots.triager.bindings[0].accept_untrusted: outsiders who can cause issue_comment " +
        "reach tools that may change things (add_comment of github) as triager: this was accepted in writing",
    ]);
  });

  it("is not trusted for saying accept_untrusted: false", () => {
    expect(onIssue("commenter", "\naccept_untrusted: false")).toHaveLength(1);
  });

  it.each(["pull_request_target", "workflow_run", "repository_dispatch", "deployment", "an_event_of_2031"])(
    "by %s counts as one: only a closed list of triggers is trusted",
    (event) => {
      const text = robotsWith(binding(`events: [${event}]\nref: refs/heads/main\nroles: [commenter]`));
      expect(problemsOf({ robots: text }).join()).toContain(`outsiders can cause ${event}`);
    },
  );

  it("is told of the trusted trigger that it may have meant", () => {
    const text = robotsWith(binding("events: [workflow_dispach]\nref: refs/heads/main\nroles: [commenter]"));
    expect(problemsOf({ robots: text }).join()).toContain(
      "workflow_dispach (did you mean workflow_dispatch?)",
    );
  });

  it("is warned about where a reusable workflow can be moved", () => {
    const fields = `${main}\njob_workflow_ref: acme/flows/.github/workflows/x.yml@refs/heads/main`;
    const loaded = assemblePolicies(filesOf({ robots: robotsWith(binding(fields)) }));
    expect(loaded.ok && loaded.warnings.map(({ message }) => message)).toEqual([
      "whoever can move this branch or tag decides what runs as the robot: name a commit",
    ]);
  });
});

describe("a policy directory", () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "policies-"));
  });
  afterEach(async () => {
    await rm(directory, { recursive: true, force: true });
  });
  const write = async (path: string, text: string | Uint8Array): Promise<void> => {
    await mkdir(join(directory, path, ".."), { recursive: true });
    await writeFile(join(directory, path), text);
  };
  const writeAll = async (): Promise<void> => {
    for (const { path, text } of filesOf({})) {
      await write(path, text);
    }
  };
  const load = async (): Promise<string[]> => {
    const loaded = await loadPolicies(directory);
    return loaded.ok ? [] : loaded.problems.map(renderProblem);
  };

  it("loads with its servers, roles and robots", async () => {
    await writeAll();
    const loaded = await loadPolicies(directory);
    expect(loaded.ok).toBe(true);
    if (loaded.ok) {
      expect([...loaded.policies.servers.keys()]).toEqual(["github", "memory"]);
      expect([...loaded.policies.roles.keys()]).toEqual(["reader", "commenter", "browser"]);
      expect([...loaded.policies.repositories.values()].map(({ name, file }) => [name, file])).toEqual([
        ["acme/payments", "robots/acme/payments.yaml"],
      ]);
    }
  });

  it("needs no robots", async () => {
    await write("servers.yaml", servers);
    await write("roles.yaml", roles);
    expect(await load()).toEqual([]);
  });

  it("that does not exist is one problem", async () => {
    const loaded = await loadPolicies(join(directory, "nowhere"));
    expect(loaded.ok ? [] : loaded.problems.map(({ message }) => message)).toEqual([
      `there is no directory ${join(directory, "nowhere")}`,
    ]);
  });

  it("says which file is missing, beside the problems of the others", async () => {
    await write("servers.yaml", "servers: 1\n");
    expect(await load()).toEqual([
      `roles.yaml:1:1 : there is no roles.yaml in ${directory}: write one`,
      "servers.yaml:1:10 servers: expected keys with values, got the number 1",
    ]);
  });

  it.each([
    ["roles.yml", "rename it to roles.yaml"],
    ["robots/acme/ledger.yml", "rename it to end in .yaml"],
    ["robots/ledger.yaml", "move it to robots/OWNER/REPO.yaml"],
    ["robots.yaml", "rename it to robots/OWNER/REPO.yaml"],
  ])("refuses %s: ignored, it would look as if it were in force", async (path, message) => {
    await writeAll();
    await write(path, "x: 1\n");
    expect((await load()).join()).toContain(`${path}:1:1 : this file is not read: ${message}`);
  });

  it("ignores hidden files and other documents", async () => {
    await writeAll();
    await write("README.md", "# notes");
    await write("robots/acme/.ledger.yaml.tmp", "x");
    await write(".git/config", "x");
    expect(await load()).toEqual([]);
  });

  it("refuses a directory that cannot be read: skipped, its robots would be gone without a word", async () => {
    await writeAll();
    await symlink("looping", join(directory, "robots/looping"));
    expect((await load()).join()).toContain("robots/looping:1:1 : the directory cannot be read (ELOOP");
  });

  it("refuses a file that is not UTF-8", async () => {
    await writeAll();
    await write("roles.yaml", Uint8Array.from([0x72, 0xff, 0xfe]));
    expect((await load()).join()).toContain("roles.yaml:1:1 : the file is not UTF-8");
  });

  it("refuses a file that is too large without reading it", async () => {
    await writeAll();
    await write("roles.yaml", "#".repeat(300 * 1024));
    expect((await load()).join()).toContain("roles.yaml:1:1 : the file is larger than 256 KiB");
  });

  it("refuses a directory in the place of a file", async () => {
    await write("servers.yaml", servers);
    await mkdir(join(directory, "roles.yaml"));
    expect((await load()).join()).toContain(
      "roles.yaml:1:1 : this is not a file: put the document itself here",
    );
  });
});
