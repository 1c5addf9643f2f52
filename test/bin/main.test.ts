/** The command as a person runs it: help, exit codes, and the commands of the broker against real files. */
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { ROLES, SERVERS, robotsDocument } from "../support/broker.ts";
import { compileCache } from "../support/compile-cache.ts";

const ROOT = join(import.meta.dirname, "..", "..");
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "lanyard-command-"));
  await mkdir(join(directory, "policies", "robots", "acme"), { recursive: true });
  await writeFile(join(directory, "policies", "servers.yaml"), SERVERS);
  await writeFile(join(directory, "policies", "roles.yaml"), ROLES);
  await writeFile(
    join(directory, "policies", "robots", "acme", "payments.yaml"),
    robotsDocument("https://issuer.example"),
  );
});
afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

function start(
  args: readonly string[],
  environment: Record<string, string> = {},
): ChildProcessByStdio<null, Readable, Readable> {
  return spawn(process.execPath, [join(ROOT, "bin", "lanyard.js"), ...args], {
    cwd: directory,
    env: {
      PATH: process.env["PATH"] ?? "",
      ...compileCache,
      LANYARD_DATABASE: `file:${join(directory, "broker.sqlite")}`,
      ...environment,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

async function run(args: readonly string[], environment: Record<string, string> = {}) {
  const child = start(args, environment);
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk) => (stdout += String(chunk)));
  child.stderr.on("data", (chunk) => (stderr += String(chunk)));
  const [code] = (await once(child, "close")) as [number];
  return { code, stdout, stderr };
}

async function findFreePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

test("--help lists every command; without a command it is a wrong call", async () => {
  const help = await run(["--help"]);
  expect(help.code).toBe(0);
  for (const name of ["dev", "serve", "operator", "provision", "policy", "explain", "audit"]) {
    expect(help.stdout).toMatch(new RegExp(`^  ${name} `, "m"));
  }
  expect((await run([])).code).toBe(2);
});

test.each([
  ["serve"],
  ["operator"],
  ["operator", "add"],
  ["provision"],
  ["policy", "check"],
  ["explain"],
  ["audit", "verify"],
])("%s %s --help", async (...names) => {
  const help = await run([...names, "--help"]);
  expect(help).toMatchObject({ code: 0, stderr: "" });
  expect(help.stdout).toContain(`Usage: lanyard ${names.join(" ")}`);
});

test.each([["nope"], ["serve", "--nope"], ["operator", "nope"], ["policy", "nope"]])(
  "a wrong call ends with 2 and one line: %s %s",
  async (...args) => {
    const wrong = await run(args);
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain("error:");
  },
);

test("--version", async () => {
  expect((await run(["--version"])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

describe("operator", () => {
  test("add shows the token once, list does not, remove ends it", async () => {
    const added = await run(["operator", "add", "alice", "--json"]);
    const { token } = JSON.parse(added.stdout);
    expect(token).toMatch(/^lop_/);
    expect(await run(["operator", "add", "alice"])).toMatchObject({ code: 1, stdout: "" });
    expect((await run(["operator", "add", "no spaces"])).code).toBe(2);
    const list = await run(["operator", "list", "--json"]);
    expect(JSON.parse(list.stdout)).toMatchObject({
      ok: true,
      operators: [{ name: "alice", last_used_at: null }],
    });
    expect(list.stdout).not.toContain(token);
    expect((await run(["operator", "list"])).stdout).toContain("alice  added 20");
    expect((await run(["operator", "remove", "alice"])).code).toBe(0);
    expect((await run(["operator", "remove", "alice"])).code).toBe(1);
  });

  test("a database that is none", async () => {
    const wrong = await run(["operator", "list"], { LANYARD_DATABASE: "file:policies" });
    expect(wrong).toMatchObject({ code: 1 });
    expect(wrong.stderr).toContain("LANYARD_DATABASE");
    expect((await run(["operator", "list"], { LANYARD_DATABASE: "nonsense" })).code).toBe(2);
  });
});

describe("serve", () => {
  const environment = (port: number, more: Record<string, string> = {}): Record<string, string> => ({
    LANYARD_PUBLIC_URL: `http://127.0.0.1:${port}`,
    LANYARD_LISTEN: `127.0.0.1:${port}`,
    LANYARD_POLICIES: join(directory, "policies"),
    ...more,
  });

  test("says all that is missing, with what to write", async () => {
    const wrong = await run(["serve"], { LANYARD_ISSUERS: "x" });
    expect(wrong.code).toBe(2);
    for (const name of ["LANYARD_PUBLIC_URL", "LANYARD_POLICIES", "LANYARD_ISSUERS"])
      expect(wrong.stderr).toContain(name);
    const json = JSON.parse((await run(["serve", "--json"])).stdout);
    expect(json).toMatchObject({ ok: false, problems: [expect.any(String), expect.any(String)] });
  });

  test("malformed YAML, an unknown key: file, line and key", async () => {
    await cp(join(directory, "policies"), join(directory, "broken"), { recursive: true });
    await writeFile(
      join(directory, "broken", "servers.yaml"),
      "servers:\n  one: { url: http://127.0.0.1:1/, colour: blue }\n",
    );
    const port = await findFreePort();
    const wrong = await run(["serve"], environment(port, { LANYARD_POLICIES: join(directory, "broken") }));
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toMatch(/servers\.yaml:2:\d+: .*colour/);
  });

  test("an unwritable bucket: one message that says what to change", async () => {
    await writeFile(join(directory, "file"), "");
    const wrong = await run(
      ["serve"],
      environment(await findFreePort(), { LANYARD_AUDIT: `file:${join(directory, "file")}` }),
    );
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toMatch(/LANYARD_AUDIT: the folder .*file cannot be used/);
  });

  test("serves with its defaults, reloads its policies, and ends with 0 when it is told to stop", async () => {
    const port = await findFreePort();
    const child = start(["serve"], environment(port));
    let output = "";
    child.stdout.on("data", (chunk) => (output += String(chunk)));
    for await (const chunk of child.stderr) {
      output += String(chunk);
      if (output.includes("Lanyard serves")) break;
    }
    const readiness = async (): Promise<any> => (await fetch(`http://127.0.0.1:${port}/readyz`)).json();
    expect((await readiness()).status).toBe("ready");
    // SIGHUP reads the policies again; what does not load changes nothing.
    await writeFile(join(directory, "policies", "roles.yaml"), "roles: [");
    child.kill("SIGHUP");
    await vi.waitFor(async () => expect((await readiness()).status).toBe("degraded"), { timeout: 15_000 });
    await writeFile(join(directory, "policies", "roles.yaml"), ROLES);
    child.kill("SIGHUP");
    await vi.waitFor(async () => expect((await readiness()).status).toBe("ready"), { timeout: 15_000 });
    // An operator that is added meanwhile counts from the next request on.
    const { token } = JSON.parse((await run(["operator", "add", "bob", "--json"])).stdout);
    const api = async (bearer: string) =>
      (await fetch(`http://127.0.0.1:${port}/api/runs`, { headers: { authorization: `Bearer ${bearer}` } }))
        .status;
    expect(await api(token)).toBe(200);
    expect(await api("lop_x")).toBe(401);
    child.kill("SIGTERM");
    const [code] = (await once(child, "close")) as [number];
    expect(code).toBe(0);
    expect(output).not.toContain(token);
  });
});
