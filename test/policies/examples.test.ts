import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { readTestSuite } from "../../policies/authoring/test-suite.ts";
import { listUntestedRules, runTests } from "../../policies/authoring/unit-tests.ts";
import { findUnmarkedTool } from "../../policies/checks/known.ts";
import { loadPolicies } from "../../policies/loading.ts";
import type { Policies } from "../../policies/policies.ts";
import { renderProblem } from "./fixtures.ts";

const root = join(import.meta.dirname, "../../policies");
const roles = ["read-only", "triage", "docs-writer", "release-notes", "dependency-updates"];
const shipped: [string, string[]][] = [
  ["starter", ["reader", "writer", "demo"]],
  ["examples/github", roles],
  ["examples/reference", roles],
  ["examples/generic", roles],
];

it("every folder of documents that is shipped is tested here", async () => {
  const examples = (await readdir(join(root, "examples"))).map((name) => `examples/${name}`);
  expect(shipped.map(([path]) => path).sort()).toEqual([...examples, "starter"].sort());
});

describe.each(shipped)("the documents in %s", (path, expected) => {
  const directory = join(root, path);
  let policies: Policies;
  beforeAll(async () => {
    const loaded = await loadPolicies(directory);
    if (!loaded.ok) throw new Error(loaded.problems.map(renderProblem).join("\n"));
    expect([...loaded.warnings, ...loaded.unused].map(renderProblem)).toEqual([]);
    policies = loaded.policies;
  });

  it("have the roles that are worth copying, the first of them for reading only", () => {
    expect([...policies.roles.keys()]).toEqual(expected);
    expect(
      findUnmarkedTool(policies.roles.get(expected[0] ?? "") ?? { grants: [] }, policies.servers),
    ).toBeUndefined();
  });

  it("pass their own tests, which try every rule", async () => {
    const suite = await readTestSuite(directory, policies);
    if (!suite.ok) throw new Error(suite.problems.map(renderProblem).join("\n"));
    const outcomes = await runTests(policies, suite.documents);
    expect(outcomes.filter(({ failures }) => failures.length > 0)).toEqual([]);
    expect(listUntestedRules(policies, outcomes)).toEqual([]);
    expect(suite.documents.map((document) => document.path).sort()).toEqual(
      expected.map((role) => `tests/${role}.yaml`).sort(),
    );
  });

  it("have nothing that no loader reads, and editors find their schemas", async () => {
    const files = (await readdir(directory, { recursive: true, withFileTypes: true })).filter((each) =>
      each.isFile(),
    );
    for (const file of files) {
      const place = join(file.parentPath, file.name);
      const [, schema = ""] =
        /^# yaml-language-server: \$schema=(\S+)$/m.exec(await readFile(place, "utf8")) ?? [];
      expect([place, existsSync(resolve(file.parentPath, schema)), schema !== ""]).toEqual([
        place,
        true,
        true,
      ]);
    }
  });

  it("explain each role in a comment of two lines", async () => {
    const lines = (await readFile(join(directory, "roles.yaml"), "utf8")).split("\n");
    for (const role of expected) {
      const line = lines.indexOf(`  ${role}:`);
      expect(lines.slice(line - 3, line).map((each) => each.startsWith("  # "))).toEqual([false, true, true]);
    }
  });
});
