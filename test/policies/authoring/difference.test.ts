import { describe, expect, it } from "vitest";
import { comparePolicies } from "../../../policies/authoring/difference.ts";
import type { Policies } from "../../../policies/policies.ts";
import { policiesOf, robots, robotsWith, roles, servers } from "../fixtures.ts";

type Edit = Parameters<typeof policiesOf>[0];

const triage =
  "schedule or workflow_dispatch on refs/heads/main, .github/workflows/triage.yml, environment agents";

/** `gained tool github get_*: before → after [who]`, of an edit of the sample documents. */
function changesOf(edit: Edit | Policies, from: Edit | Policies = {}): string[] {
  const load = (side: Edit | Policies): Policies =>
    side !== undefined && "repositories" in side ? side : policiesOf(side);
  return comparePolicies(load(from), load(edit)).changes.map(
    ({ effect, subject, server, what, before, after, holders }) => {
      const who = holders.map(({ robot, runs }) => `${robot}: ${runs?.join("; ") ?? "all"}`).join(", ");
      return `${effect} ${subject} ${server ?? "-"} ${what}: ${before ?? "–"} → ${after ?? "–"} [${who}]`;
    },
  );
}

describe("what a change of the documents gains and loses", () => {
  it("names a tool that is granted now, for the runs that have the role", () => {
    expect(
      changesOf({ roles: roles.replace("tools: [add_comment]", "tools: [add_comment, close]") }),
    ).toEqual([
      `gained tool github close: – → when args.owner == run.repository_owner && args.repo == run.repository_name [acme/payments/triager: ${triage}]`,
    ]);
    expect(
      changesOf({}, { roles: roles.replace("tools: [add_comment]", "tools: [add_comment, close]") }),
    ).toEqual([
      `lost tool github close: when args.owner == run.repository_owner && args.repo == run.repository_name → – [acme/payments/triager: ${triage}]`,
    ]);
  });

  it("joins names that change alike into one line, and says so when it concerns all runs", () => {
    const fewer = {
      roles: roles.replace("[get_issue, list_issues]", "[get_none]"),
      servers: servers.replace("add_comment", "get_none").replace("read_only: false", "read_only: true"),
    };
    expect(changesOf({ servers: fewer.servers }, fewer)).toEqual([
      "gained tool github get_issue, list_issues: – → always [acme/payments/triager: all]",
      "lost tool github get_none: always → – [acme/payments/triager: all]",
    ]);
  });

  it("sees no difference in a role with another name, or a grant that another role holds now", () => {
    const renamed = {
      roles: roles.replace("reader:", "watcher:"),
      robots: robots.replaceAll("reader]", "watcher]"),
    };
    expect(changesOf(renamed)).toEqual([]);
    const moved = roles.replace(
      "tools: [get_issue, list_issues]",
      "tools: [list_issues]\n      - server: github\n        tools: [get_issue]",
    );
    expect(changesOf({ roles: moved })).toEqual([]);
    const [head = "", ...rest] = roles.split(/(?=^ {2}\w)/m);
    expect(changesOf({ roles: [head, ...rest.reverse()].join("") })).toEqual([]);
  });

  it("sees no difference in an exact name beside a pattern that covers it", () => {
    const open = robotsWith(
      robots
        .slice(robots.indexOf("      - workflow"), robots.indexOf("    session"))
        .replaceAll("reader]", "browser]")
        .replace("roles: [browser]", "accept_untrusted: true\n        roles: [browser]"),
    );
    expect(
      changesOf({ robots: open, roles: roles.replace("[get_*]", "[get_*, get_issue]") }, { robots: open }),
    ).toEqual([]);
  });

  it("takes a changed condition for a gain, and one that was added for a loss", () => {
    const [wider, none] = ["args.owner == run.repository_owner\n", undefined];
    const when = /args\.owner == .*\n/;
    expect(changesOf({ roles: roles.replace(when, wider) })[0]).toMatch(
      /^gained tool github add_comment: when args\.owner == .* && .* → when args\.owner == run\.repository_owner \[/,
    );
    const without = roles.replace(/ +when: .*\n/, none ?? "");
    expect(changesOf({}, { roles: without })[0]).toMatch(/^lost tool github add_comment: always → when /);
    expect(changesOf({ roles: without })[0]).toMatch(/^gained tool github add_comment: when .* → always /);
  });

  it("takes a condition on the robot for another one when the repository has another name", () => {
    const about = roles.replace(/args\.owner == .*\n/, "robot == 'acme/payments/triager'\n");
    const renamed = {
      roles: about,
      robots: robots.replace("acme/payments", "acme/billing"),
      robotsPath: "robots/acme/billing.yaml",
    };
    expect(changesOf(renamed, { roles: about })).toContainEqual(
      expect.stringMatching(/^gained tool github add_comment/),
    );
  });

  it("calls a raised limit a gain and a lowered one a loss", () => {
    const limited = (calls: number) => ({
      roles: roles.replace(
        "tools: [add_comment]",
        `tools: [add_comment]\n        limit: { calls: ${calls} }`,
      ),
    });
    expect(changesOf(limited(9), limited(5))[0]).toMatch(
      /^gained tool github add_comment: .*; 5 calls .* → .*; 9 calls/,
    );
    expect(changesOf(limited(5), limited(9))[0]).toMatch(
      /^lost tool github add_comment: .*; 9 calls .* → .*; 5 calls/,
    );
    expect(changesOf(limited(5))[0]).toMatch(/^lost tool/);
  });

  it("sees calls that are gained when grants stop sharing one limit, or meet it in another order", () => {
    const of = (...grants: string[]) => ({
      roles: `roles:\n  commenter:\n    grants:\n${grants.map((grant) => `      - { server: github, ${grant} }\n`).join("")}${roles.slice(roles.indexOf("  reader:"), roles.indexOf("  commenter:"))}`,
    });
    const together = of("tools: [a, b], limit: { calls: 5 }");
    const apart = of("tools: [a], limit: { calls: 5 }", "tools: [b], limit: { calls: 5 }");
    expect(changesOf(apart, together)).toEqual([expect.stringMatching(/^gained limits github calls/)]);
    const [first, second] = ["tools: [a, b], limit: { calls: 1 }", "tools: [a], when: args.x == 1"];
    expect(changesOf(of(second, first), of(first, second))).toEqual([
      expect.stringMatching(/^gained limits/),
    ]);
    expect(changesOf(of(second), of(first, second)).map((change) => change.slice(0, 9))).toEqual([
      "lost tool",
      "lost tool",
    ]);
  });

  it("sees calls that are gained when an observed tool uses up a limit no more", () => {
    const observed = robotsWith(`      - workflow: .github/workflows/triage.yml
        events: [schedule]
        ref: refs/heads/main
        mode: observe
        roles: [commenter]
`);
    const of = (tools: string) => ({
      robots: observed,
      roles: `roles:\n  commenter:\n    grants:\n      - { server: github, tools: ${tools}, limit: { calls: 5 } }\n`,
    });
    expect(changesOf(of("[close]"), of("[close, get_issue]"))).toEqual([
      expect.stringMatching(/^gained limits/),
    ]);
  });

  it("calls a flow rule that is gone a gain", () => {
    const flow = {
      roles: roles.replace(
        "  commenter:\n",
        "    flow:\n      - { after: [untrusted], deny: [public] }\n  commenter:\n",
      ),
    };
    expect(changesOf({}, flow)).toEqual([
      "gained flow - public after untrusted: denied → – [acme/payments/triager: all]",
    ]);
    expect(changesOf(flow)).toEqual([
      "lost flow - public after untrusted: – → denied [acme/payments/triager: all]",
    ]);
  });

  it("calls a binding that more runs match a gain, tool by tool", () => {
    const other = { robots: robots.replace("ref: refs/heads/main", "ref: refs/heads/dev") };
    const changes = changesOf(other);
    const dev = triage.replace("main", "dev");
    expect(changes).toContain(
      `gained tool github get_issue, list_issues: – → always [acme/payments/triager: ${dev}]`,
    );
    expect(changes).toContain(
      `lost tool github get_issue, list_issues: always → – [acme/payments/triager: ${triage}]`,
    );
    expect(changesOf({ robots: robots.replace("        environment: agents\n", "") })).toContain(
      `gained tool github get_issue, list_issues: – → always [acme/payments/triager: ${triage.replace("environment agents", "any other environment")}]`,
    );
  });

  it("calls another owner of the repository a gain of the runs of that owner", () => {
    expect(changesOf({ robots: robots.replace('"123456"', '"654321"') })).toContainEqual(
      expect.stringMatching(/^gained tool github get_issue, list_issues: – → always/),
    );
  });

  it("calls observing a gain, for the tools that pass by it", () => {
    const observing = {
      robots: robots.replace(
        "roles: [commenter, reader]",
        "roles: [commenter, reader]\n        mode: observe",
      ),
    };
    const [gain, ...rest] = changesOf(
      {
        ...observing,
        servers: servers.replace("add_comment: { read_only: false }", "whoami: { read_only: true }"),
      },
      { servers: servers.replace("add_comment: { read_only: false }", "whoami: { read_only: true }") },
    );
    expect(gain).toContain("gained tool github get_issue, list_issues: always → always");
    expect(rest[0]).toContain("gained tool github whoami: – → without a grant, observed (read_only)");
  });

  it("calls a longer session a gain, and one that outlives an edit", () => {
    expect(changesOf({ robots: robots.replace("max: 2h", "max: 90m") })).toEqual([
      "lost session - max: 2h → 90m [acme/payments/triager: all]",
    ]);
    expect(changesOf({ robots: robots.replace("ttl: 10m", "ttl: 15m") })).toEqual([
      "gained session - ttl: 10m → 15m [acme/payments/triager: all]",
    ]);
    const revoking = { robots: robots.replace("max: 2h", "max: 2h, revoke_on_change: true") };
    expect(changesOf({}, revoking)).toEqual([
      "gained session - revoke_on_change: true → false [acme/payments/triager: all]",
    ]);
  });

  it("calls what is behind a server's name a gain where anybody reaches it, and labels that are taken off", () => {
    expect(changesOf({ servers: servers.replace("mcp.example.com", "evil.example.com") })).toEqual([
      "gained server github url: https://mcp.example.com/mcp → https://evil.example.com/mcp []",
    ]);
    expect(changesOf({ servers: servers.replace("some-server", "other-server") })).toEqual([]);
    const labelled = { servers: servers.replace("    tools:\n", "    reads: [untrusted]\n    tools:\n") };
    expect(changesOf({}, labelled)).toEqual([
      "gained labels github all other tools: reads untrusted: yes → no []",
    ]);
    expect(changesOf(labelled)).toEqual(["lost labels github all other tools: reads untrusted: no → yes []"]);
    expect(
      changesOf({
        servers: servers.replace("add_comment: { read_only: false }", "add_comment: { read_only: true }"),
      }),
    ).toEqual(["gained labels github add_comment: read_only: no → yes []"]);
  });

  it("calls a definition that was reviewed a gain where a grant names the tool, and a lock that is gone", () => {
    const locked = (tools: Record<string, string> | undefined): Policies => ({
      ...policiesOf(),
      lock: tools && new Map([["github", { tools }]]),
    });
    const [old, now] = ["0".repeat(64), "1".repeat(64)];
    expect(
      changesOf(locked({ get_issue: now, other: now }), locked({ get_issue: old, add_comment: old })),
    ).toEqual([
      "gained lock github get_issue: reviewed (000000000000) → reviewed anew (111111111111) []",
      "lost lock github add_comment: reviewed (000000000000) → – []",
      "changed lock github other: – → newly reviewed []",
    ]);
    expect(changesOf(locked(undefined), locked({}))[0]).toMatch(/^gained lock github lanyard\.lock/);
    expect(changesOf(locked({}), locked(undefined))[0]).toMatch(/^lost lock github lanyard\.lock/);
  });

  it("counts a URI that is spelled out as gained under a prefix that would not match it", () => {
    const of = (uri: string) => ({
      roles: roles.replace("tools: [get_issue, list_issues]", `resources: ["${uri}"]`),
    });
    expect(changesOf(of("repo://a/b"), of("repo://a/*"))[0]).toMatch(
      /^lost resource github repo:\/\/a\/\*: always → only repo:\/\/a\/b/,
    );
    expect(changesOf(of("repo://a/../b"), of("repo://a/*"))[0]).toMatch(/^gained resource/);
    expect(changesOf(of("repo://a/{run.ref}/*"), of("repo://a/*"))[0]).toMatch(/^lost resource/);
  });
});
