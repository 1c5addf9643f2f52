import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { beforeAll, describe, expect, it } from "vitest";
import { compilePolicy } from "../../policies/compilation.ts";
import { loadPolicies } from "../../policies/loading.ts";
import type { Policies } from "../../policies/policies.ts";
import { serversOf } from "../../policies/policies.ts";
import { findUnmarkedTool } from "../../policies/checks/known.ts";
import { sessionPolicyOf } from "../../policies/issuing.ts";
import { SessionUsage } from "../../policies/usage.ts";
import { prefixOf } from "../../policies/tool-pattern.ts";
import { claimsOf } from "./fixtures.ts";

const root = join(import.meta.dirname, "../..");
const directory = join(root, "policies/starter");

/** The tools that a server's real package has, asked of the package itself. */
async function listTools(name: string, args: string[]) {
  const entry = join(root, `node_modules/@modelcontextprotocol/server-${name}/dist/index.js`);
  const client = new Client({ name: "test", version: "1" });
  await client.connect(
    new StdioClientTransport({ command: process.execPath, args: [entry, ...args], stderr: "ignore" }),
  );
  try {
    return (await client.listTools()).tools;
  } finally {
    await client.close();
  }
}

describe("the documents for the reference servers", () => {
  it.each([
    ["filesystem", [root]],
    ["everything", ["stdio"]],
  ])(
    "name only tools that %s has, and call read_only none that it says changes things",
    async (name, args) => {
      const loaded = await loadPolicies(join(root, "policies/examples/reference"));
      const tools = new Map((await listTools(name, args)).map((tool) => [tool.name, tool]));
      const granted = !loaded.ok
        ? []
        : [...loaded.policies.roles.values()]
            .flatMap(({ grants }) => grants)
            .filter(({ server }) => server === name)
            .flatMap((grant) => grant.tools ?? []);
      expect(granted.length).toBeGreaterThan(0);
      expect(granted.filter((tool) => !tools.has(tool))).toEqual([]);
      const marked = Object.keys((loaded.ok && loaded.policies.servers.get(name)?.tools) || {});
      expect(marked.length).toBeGreaterThan(0);
      expect(marked.filter((tool) => tools.get(tool)?.annotations?.readOnlyHint !== true)).toEqual([]);
    },
  );
});

describe("the starter documents", () => {
  let policies: Policies;
  beforeAll(async () => {
    const loaded = await loadPolicies(directory);
    if (!loaded.ok) {
      throw new Error(JSON.stringify(loaded.problems));
    }
    policies = loaded.policies;
  });

  it("are the registry and the roles, without robots: those are provisioned", async () => {
    expect((await readdir(directory, { recursive: true })).sort()).toEqual([
      "roles.yaml",
      "servers.yaml",
      "tests",
      "tests/demo.yaml",
      "tests/reader.yaml",
      "tests/writer.yaml",
    ]);
    expect([...policies.servers.keys()]).toEqual(["filesystem", "everything"]);
    expect([...policies.roles.keys()]).toEqual(["reader", "writer", "demo"]);
  });

  it.each([
    ["filesystem", [root]],
    ["everything", ["stdio"]],
  ])(
    "name only tools that %s has, and call read_only none that it says changes things",
    async (name, args) => {
      const tools = new Map((await listTools(name, args)).map((tool) => [tool.name, tool]));
      const granted = [...policies.roles.values()]
        .flatMap(({ grants }) => grants)
        .filter(({ server }) => server === name)
        .flatMap((grant) => grant.tools ?? []);
      expect(granted.length).toBeGreaterThan(0);
      expect(granted.filter((tool) => prefixOf(tool) === undefined && !tools.has(tool))).toEqual([]);
      const marked = Object.entries(policies.servers.get(name)?.tools ?? {});
      expect(marked.length).toBeGreaterThan(0);
      for (const [tool, { read_only }] of marked) {
        expect([tool, tools.get(tool)?.annotations?.readOnlyHint]).toEqual([tool, read_only]);
      }
    },
  );

  it("pin the versions of the packages that they start", () => {
    for (const { command = [] } of policies.servers.values()) {
      for (const part of command.filter((each) => each.startsWith("@modelcontextprotocol/"))) {
        expect(part).toMatch(/@\d{4}\.\d+\.\d+$/);
      }
    }
  });

  it("give outsiders a role of read-only tools, and say which are not", () => {
    const unmarked = [...policies.roles].map(([name, role]) => [
      name,
      findUnmarkedTool(role, policies.servers),
    ]);
    expect(unmarked).toEqual([
      ["reader", undefined],
      ["writer", "write_file of filesystem"],
      ["demo", undefined],
    ]);
  });

  it("decide as their comments say", async () => {
    const roles = ["reader", "writer", "demo"];
    const policy = await compilePolicy(
      sessionPolicyOf(policies, { robot: "acme/payments/triager", roles, mode: "enforce" }),
      { claims: claimsOf() },
    );
    const decide = (server: string, name: string, args: Record<string, unknown>) =>
      policy.decide({ server, kind: "tool", name, args, agent: "agent" }, new SessionUsage(policy)).reason;
    expect(decide("filesystem", "read_text_file", { path: "README.md" })).toBe("granted");
    expect(decide("filesystem", "write_file", { path: "docs/a.md", content: "x" })).toBe("granted");
    expect(decide("filesystem", "write_file", { path: "src/a.ts", content: "x" })).toBe("condition_false");
    expect(decide("filesystem", "move_file", { source: "a.md", destination: "b.md" })).toBe("no_grant");
    expect(decide("everything", "echo", { message: "x" })).toBe("granted");
    expect(decide("everything", "get-sum", { a: 2, b: 3 })).toBe("granted");
    expect(decide("everything", "get-sum", { a: 200, b: 3 })).toBe("condition_false");
    expect(decide("everything", "get-sum", { a: "2", b: "3" })).toBe("condition_error");
    expect(decide("everything", "get-env", {})).toBe("no_grant");
  });

  it("give a session the servers that its roles reach, ready to be started", () => {
    const servers = (roles: string[]) =>
      serversOf(
        policies,
        sessionPolicyOf(policies, { robot: "acme/payments/triager", roles, mode: "enforce" }),
      );
    expect(servers(["demo"])).toEqual({
      everything: { transport: "http", url: "http://127.0.0.1:8486/mcp" },
    });
    expect(servers(["reader"])).toEqual({
      filesystem: {
        transport: "stdio",
        command: ["npx", "-y", "@modelcontextprotocol/server-filesystem@2026.8.31", "{workspace}"],
        env: {},
        start: "eager",
      },
    });
  });
});
