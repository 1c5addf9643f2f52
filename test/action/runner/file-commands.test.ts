import { mkdtemp, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { createFileCommands } from "../../../action/runner/file-commands.ts";
import { parsePairs } from "../../../dev/runner/step-files.ts";

it("values arrive as they are, also those that try to end early and add another", async () => {
  const path = join(await mkdtemp(join(tmpdir(), "lanyard-test-")), "output");
  const files = createFileCommands({ output: path, state: undefined, summary: undefined });
  const values = {
    url: "http://127.0.0.1:1",
    injected: "x\nlanyard_0\nevil=1\nevil<<EOF\n1\nEOF",
    empty: "",
  };
  for (const [name, value] of Object.entries(values)) files.setOutput(name, value);
  expect(parsePairs(await readFile(path, "utf8"))).toEqual(values);
});

it("nothing is written where the runner names no file", () => {
  const files = createFileCommands({ output: undefined, state: undefined, summary: undefined });
  expect(() => {
    files.setOutput("a", "b");
    files.appendSummary("c");
  }).not.toThrow();
});
