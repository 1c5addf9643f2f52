import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createPolicyDirectory, type PolicyDirectory, runPolicy } from "./policy-directory.ts";

let directory: PolicyDirectory;
beforeEach(async () => {
  directory = await createPolicyDirectory();
});
afterEach(() => directory.remove());

const schema = (...args: string[]) => runPolicy(["schema", ...args], join(directory.path, "policies"));
const names = ["servers", "roles", "robots", "tests", "lock"];

describe("lanyard policy schema", () => {
  it("prints the schema of one kind of document, or all by their names", async () => {
    const { code, out } = await schema("roles");
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ title: "Lanyard: roles.yaml", type: "object" });
    expect(Object.keys(JSON.parse((await schema()).out))).toEqual(names);
  });

  it("writes them, and says where", async () => {
    const target = join(directory.path, "schemas");
    const { out } = await schema("--write", target);
    expect(out).toBe(names.map((name) => `${target}/${name}.schema.json\n`).join(""));
    expect(JSON.parse(await readFile(join(target, "tests.schema.json"), "utf8"))).toMatchObject({
      title: "Lanyard: tests/NAME.yaml",
    });
    await rm(target, { recursive: true });
    await directory.write("schemas", "a file");
    expect(await schema("--write", target)).toMatchObject({
      code: 2,
      err: expect.stringContaining("cannot be written"),
    });
  });

  it("gives the first line of a document, with the path from there to the schema", async () => {
    const target = join(directory.path, "schemas");
    const line = "# yaml-language-server: $schema=";
    expect((await schema("roles", "--modeline", "--write", target)).out).toBe(
      `${line}../schemas/roles.schema.json\n`,
    );
    expect((await schema("robots", "--modeline", "--write", target)).out).toBe(
      `${line}../../../schemas/robots.schema.json\n`,
    );
    expect((await schema("--modeline", "--write", target)).out).toContain(
      `tests/NAME.yaml:\n  ${line}../../schemas/tests.schema.json\n`,
    );
  });

  it("prints one JSON object where that is asked for", async () => {
    expect(JSON.parse((await schema("lock", "--json")).out)).toMatchObject({
      ok: true,
      schemas: [{ name: "lock", document: "lanyard.lock", schema: { title: "Lanyard: lanyard.lock" } }],
    });
  });
});
