/** What somebody who may write policy documents, and wants the broker to stand still, would write. */
import { describe, expect, it } from "vitest";
import { parseYaml } from "../../policies/documents/yaml-document.ts";
import { LOCK_BOUNDS } from "../../policies/documents/yaml-restrictions.ts";
import { assemblePolicies, type LoadedPolicies } from "../../policies/loading.ts";
import { lockServers, renderLock } from "../../policies/lock/lock-text.ts";
import { readLock } from "../../policies/lock/lock.ts";
import { provisionRobot } from "../../policies/provisioning.ts";
import { filesOf, issuer, roles, servers } from "./fixtures.ts";

/** Seconds of work, not of waiting: other programs on the machine do not count. A hang is minutes. */
const BOUND_SECONDS = 10;

function measure<T>(work: () => T): { result: T; seconds: number } {
  const before = process.cpuUsage();
  const result = work();
  const { user, system } = process.cpuUsage(before);
  return { result, seconds: (user + system) / 1e6 };
}

const repeat = (count: number, render: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => render(index)).join("");
const longName = "n".repeat(60);

function load(documents: { servers?: string; roles?: string; robots?: string }): LoadedPolicies {
  const { result, seconds } = measure(() => assemblePolicies(filesOf(documents)));
  expect(seconds).toBeLessThan(BOUND_SECONDS);
  return result;
}

const head = `issuer: ${issuer}\nrepository: acme/payments\nrepository_id: "1"\nrepository_owner_id: "2"\nrobots:\n`;
const binding = (index: number, events: string): string =>
  `      - { workflow: .github/workflows/w${index}.yml, events: [${events}], ref: refs/heads/main, roles: [reader] }\n`;

describe("a hostile policy author cannot hang the broker", () => {
  it.each([
    ["brackets", "[".repeat(4_000_000)],
    ["braces with keys", "{a: ".repeat(1_000_000)],
    ["dashes", "- ".repeat(2_000_000)],
    ["question marks", "? ".repeat(2_000_000)],
    ["entries of one list", `[${"a,".repeat(2_000_000)}]`],
    ["keys", repeat(300_000, (index) => `k${index}: 1\n`)],
    ["one key again and again", "a: 1\n".repeat(800_000)],
    ["lines of a block", `a: |\n${" x\n".repeat(1_300_000)}`],
    ["folded lines in quotes", `a: "${"\\\n ".repeat(1_000_000)}"`],
    ["folded lines without", `a: ${"x\n  ".repeat(1_000_000)}`],
    ["anchors", "- &a x\n".repeat(500_000)],
    ["comments", "#\n".repeat(2_000_000)],
    ["unclosed quotes", `a: "${"x".repeat(4_000_000)}`],
    ["escapes", `a: "${"\\u0041".repeat(600_000)}"`],
  ])("with four megabytes of nothing but %s", (_, text) => {
    const { seconds } = measure(() => parseYaml(text, LOCK_BOUNDS));
    expect(seconds).toBeLessThan(BOUND_SECONDS);
  });

  it("with names that are all unknown, and all nearly right", () => {
    const many = `servers:\n${repeat(500, (index) => `  ${longName}${index}: { url: "https://x.example" }\n`)}`;
    const unknown = `roles:\n${repeat(990, (index) => `  r${index}: { grants: [{ server: ${longName}x${index}, tools: [a] }] }\n`)}`;
    const loaded = load({ servers: many, roles: unknown });
    expect(loaded.ok ? 0 : loaded.problems.filter(({ file }) => file === "roles.yaml").length).toBe(101);
  });

  it("with grants that shadow each other", () => {
    const tools = repeat(10, (index) => `${"t".repeat(index + 1)}*, `);
    const text = `roles:\n  reader:\n    grants:\n${repeat(1_000, () => `      - { server: github, tools: [${tools}a, b, c], limit: { calls: 1 } }\n`)}`;
    const loaded = load({ roles: text, robots: `${head}  r:\n    bindings:\n${binding(0, "push")}` });
    expect(loaded.ok).toBe(true);
  });

  it("with one list of names that is as long as a document", () => {
    const text = `roles:\n  reader:\n    grants:\n      - { server: github, tools: [${"same, ".repeat(40_000)}same] }\n`;
    expect(load({ roles: text }).ok).toBe(false);
  });

  it("with bindings that are all compared with each other", () => {
    const events = repeat(29, (index) => `e${index}, `);
    const robot = (name: number) =>
      `  r${name}:\n    bindings:\n${repeat(50, (index) => binding(index, `${events}push`))}`;
    expect(load({ robots: head + repeat(12, robot) }).ok).toBe(true);
  });

  it("with robots that all have roles of many grants", () => {
    const wide = `roles:\n  reader:\n    grants:\n${repeat(1_000, () => "      - { server: github, tools: [get_issue, list_issues] }\n")}`;
    const marked = servers.replace(
      "    tools:\n",
      `    tools:\n${repeat(1_900, (index) => `      t${index}: { read_only: true }\n`)}`,
    );
    const robot = (name: number) =>
      `  r${name}:\n    bindings:\n${repeat(20, (index) => binding(index, "issues"))}`;
    expect(load({ servers: marked, roles: wide, robots: head + repeat(90, robot) }).ok).toBe(true);
  });

  it("with conditions, as many as a document has room for", () => {
    const text = `roles:\n  reader:\n    grants:\n${repeat(1_000, (index) => `      - { server: github, tools: [get_issue], when: "args.a${index} == run.repository && size(tool) < ${index}" }\n`)}`;
    const robots = `${head}  r:\n    bindings:\n${binding(0, "push")}`;
    expect(load({ roles: text, robots }).ok).toBe(true);
  });

  it("with a lock of schemas that nest, or of tools without an end", () => {
    const lockOf = (schema: string) =>
      `version: 1\nservers:\n  github:\n    tools:\n      a:\n        digest: "${"0".repeat(64)}"\n        input_schema: |-\n          ${schema}\n`;
    for (const text of [
      lockOf("[".repeat(4_000_000)),
      lockOf(`"${"\\".repeat(4_000_000)}`),
      lockOf(`${'{"a":'.repeat(800_000)}1`),
    ]) {
      const { result, seconds } = measure(() => readLock({ path: "lanyard.lock", text }));
      expect(result.ok).toBe(false);
      expect(seconds).toBeLessThan(BOUND_SECONDS);
    }
    const many = `version: 1\nservers:\n  github:\n    tools:\n${repeat(40_000, (index) => `      t${index}: { digest: "${"0".repeat(64)}" }\n`)}`;
    expect(measure(() => readLock({ path: "lanyard.lock", text: many })).seconds).toBeLessThan(BOUND_SECONDS);
  });
});

describe("loading", () => {
  it("reads a thousand documents as they are provisioned in about a second", () => {
    const documents = Array.from({ length: 1_000 }, (_, index) => {
      const provisioned = provisionRobot({
        issuer,
        repository: `acme/repository-${index}`,
        repositoryId: String(1_000 + index),
        repositoryOwnerId: "123456",
        name: "triager",
        bindings: [
          {
            workflow: ".github/workflows/triage.yml",
            events: ["schedule", "workflow_dispatch"],
            ref: "refs/heads/main",
            roles: ["reader"],
          },
        ],
      });
      if (!provisioned.ok) throw new Error(provisioned.message);
      return { path: provisioned.path, text: provisioned.text };
    });
    const files = [
      { path: "servers.yaml", text: servers },
      { path: "roles.yaml", text: roles },
      ...documents,
    ];
    const { result, seconds } = measure(() => assemblePolicies(files));
    expect(result.ok && result.policies.repositories.size).toBe(1_000);
    // The benchmark says how long it takes; this says that it does not take ten times as long.
    expect(seconds).toBeLessThan(BOUND_SECONDS);
  });

  it("reads a lock of two hundred tools and half a megabyte in about a tenth of a second", () => {
    const properties = Object.fromEntries(
      Array.from({ length: 12 }, (_, index) => [
        `p${index}`,
        { type: "string", description: "What to do with it. ".repeat(5) },
      ]),
    );
    const tools = Array.from({ length: 200 }, (_, index) => ({
      name: `tool_${index}`,
      description: "Does something with a thing.\n".repeat(8).trim(),
      inputSchema: { type: "object", properties },
    }));
    const text = renderLock(lockServers(new Map([["github", { tools }]])).lock);
    expect(text.length).toBeGreaterThan(500_000);
    const { result, seconds } = measure(() => readLock({ path: "lanyard.lock", text }));
    expect(result.ok && result.document.value.servers.get("github")?.tools.size).toBe(200);
    expect(seconds).toBeLessThan(BOUND_SECONDS / 4);
  });
});
