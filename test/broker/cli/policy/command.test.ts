/** Each command once as a person starts it: the whole program, its exit code, nothing on the standard error. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createPolicyDirectory, type PolicyDirectory } from "./policy-directory.ts";

const program = join(import.meta.dirname, "../../../../bin/lanyard.js");
let directory: PolicyDirectory;
beforeAll(async () => {
  directory = await createPolicyDirectory();
  await directory.write(
    "tests/a.yaml",
    "robot: triager\nserver: github\ntests:\n  - { tools: [get_issue], expect: allow }\n",
  );
});
afterAll(() => directory.remove());

function run(args: readonly string[]): Promise<{ code: unknown; out: string; err: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [program, "policy", ...args], (error, out, err) =>
      resolve({ code: error === null ? 0 : error.code, out, err }),
    );
  });
}

it.each([
  ["explain", 0, "binding 2"],
  ["explain --robot triager --server github --tool close", 1, "DENIED"],
  ["test", 0, "1 test: 1 passed, 0 failed"],
  ["test --require-coverage", 1, "2 rules that no test is about"],
  ["diff .", 0, "Nothing is gained"],
])("lanyard policy %s ends with %i", async (command, code, text) => {
  const [name = "", ...options] = command.split(" ");
  const args =
    options[0] === "." ? [name, directory.path, directory.path] : [name, directory.path, ...options];
  expect(await run(args)).toMatchObject({ code, out: expect.stringContaining(text), err: "" });
});

it("lanyard policy check ends with 0", async () => {
  expect(await run(["check", directory.path])).toMatchObject({
    code: 0,
    out: expect.stringContaining("1 robot: no problems"),
  });
});

it("lanyard policy schema ends with 0", async () => {
  expect(await run(["schema", "roles"])).toMatchObject({ code: 0, err: "" });
});

it.each(["check", "explain", "test", "diff", "schema"])(
  "lanyard policy %s --help says its exit codes",
  async (name) => {
    expect(await run([name, "--help"])).toMatchObject({
      code: 0,
      out: expect.stringContaining("Exit code: 0"),
    });
  },
);
