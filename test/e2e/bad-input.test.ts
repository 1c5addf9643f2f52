/** Each kind of bad input ends with one message that says what to change. */
import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findStep, type JobResult } from "../../dev/runner.ts";
import { referenceCommand } from "../support/mcp-reference-server.ts";
import { runLanyard } from "../support/verification.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World;
let folder: string;
beforeAll(async () => {
  world = await startWorld({
    servers: `  reference: { command: ${JSON.stringify(referenceCommand())} }\n`,
    roles: `  agent: { grants: [{ server: reference, tools: [echo] }] }\n`,
  });
  folder = await mkdtemp(join(tmpdir(), "lanyard-bad-"));
});
afterAll(async () => {
  await world.close();
  await rm(folder, { recursive: true });
});

/** The one message that a failed step ends with. */
function errorOf(result: JobResult, step = "lanyard"): string {
  expect(result.conclusion).toBe("failure");
  const { outcome, annotations } = findStep(result, step);
  expect(outcome).toBe("failure");
  const errors = annotations.filter(({ level }) => level === "error");
  expect(errors).toHaveLength(1);
  return errors[0]?.message ?? "";
}

describe("a job", () => {
  const playWith = (
    input: Record<string, string>,
    environment: Record<string, string> = {},
  ): Promise<JobResult> =>
    world.play([{ ...world.lanyard, with: { ...world.lanyard.with, ...input } }], { environment });

  it("without `id-token: write`", async () => {
    const none = { ACTIONS_ID_TOKEN_REQUEST_URL: "", ACTIONS_ID_TOKEN_REQUEST_TOKEN: "" };
    expect(errorOf(await playWith({}, none))).toMatch(/permissions.*id-token: write/s);
  });

  it("with a second Lanyard step", async () => {
    const result = await world.play([world.lanyard, { ...world.lanyard, id: "again" }]);
    expect(errorOf(result, "again")).toContain("`agents:`");
    // The first step's session is not harmed by it.
    expect(findStep(result, "lanyard", "post").output).toContain("complete and sealed");
  });

  it("on Windows", async () => {
    expect(errorOf(await playWith({}, { RUNNER_OS: "Windows" }))).toMatch(/Windows.*(Linux|macOS)/);
  });

  it("with a broker that cannot be reached", async () => {
    const message = errorOf(await playWith({ broker: "http://127.0.0.1:9" }));
    expect(message).toContain("http://127.0.0.1:9");
  }, 60_000);

  it("with a broker that has another public URL, so that the audience is wrong", async () => {
    const elsewhere = world.broker.url.replace("127.0.0.1", "localhost");
    expect(errorOf(await playWith({ broker: elsewhere }))).toMatch(/public URL/);
  });

  it("with a robot that is not bound to it", async () => {
    expect(errorOf(await playWith({ robot: "deployer" }))).toMatch(
      /[Nn]o robot with these roles is bound.*reference/s,
    );
  });

  it("with a server that the robot does not reach", async () => {
    expect(errorOf(await playWith({ servers: "github" }))).toMatch(/github.*reference/s);
  });

  it("with a token that has expired", async () => {
    const job = world.newJob();
    const now = Math.floor(Date.now() / 1000);
    const old = { iat: now - 600, nbf: now - 600, exp: now - 300 };
    const issuer = createServer((_request, response) => {
      void world.issuer
        .sign(job, world.broker.url, old)
        .then((value) => response.end(JSON.stringify({ value })));
    });
    await new Promise<void>((resolve) => issuer.listen(0, "127.0.0.1", resolve));
    const { port } = issuer.address() as AddressInfo;
    const message = errorOf(
      await world.play([world.lanyard], {
        job,
        environment: { ACTIONS_ID_TOKEN_REQUEST_URL: `http://127.0.0.1:${port}/idtoken?api-version=2.0` },
      }),
    );
    issuer.close();
    expect(message).toMatch(/expired/);
  });
});

describe("`lanyard serve`", () => {
  async function serve(documents: Record<string, string>, environment: Record<string, string> = {}) {
    const policies = await mkdtemp(join(folder, "policies-"));
    const all = {
      "servers.yaml": "servers:\n  memory: { url: https://mcp.example/mcp }\n",
      "roles.yaml": "roles:\n  agent: { grants: [{ server: memory, tools: [read] }] }\n",
      ...documents,
    };
    for (const [name, text] of Object.entries(all)) await writeFile(join(policies, name), text);
    return runLanyard(["serve"], {
      LANYARD_PUBLIC_URL: "https://lanyard.acme.dev",
      LANYARD_LISTEN: "127.0.0.1:0",
      LANYARD_POLICIES: policies,
      LANYARD_DATABASE: `file:${join(policies, "broker.sqlite")}`,
      LANYARD_AUDIT: `file:${join(policies, "audit")}`,
      LANYARD_KEYS: `file:${join(policies, "keys.json")}`,
      ...environment,
    });
  }

  it("with malformed YAML names file, line and column", async () => {
    const { exitCode, output } = await serve({ "roles.yaml": "roles:\n  agent: { grants: [\n" });
    expect(exitCode).not.toBe(0);
    expect(output).toMatch(/roles\.yaml:\d+:\d+/);
  });

  it("with an unknown key names it and what it may have meant", async () => {
    const { exitCode, output } = await serve({
      "roles.yaml": "roles:\n  agent: { grants: [{ server: memory, tool: [read] }] }\n",
    });
    expect(exitCode).not.toBe(0);
    expect(output).toMatch(/roles\.yaml:2:\d+.*"tool".*tools/s);
  });

  it("with a bucket it cannot write to", async () => {
    await writeFile(join(folder, "occupied"), "a file, not a folder");
    const { exitCode, output } = await serve({}, { LANYARD_AUDIT: `file:${join(folder, "occupied")}` });
    expect(exitCode).not.toBe(0);
    expect(output).toMatch(/LANYARD_AUDIT.*occupied/s);
  });

  it("with several wrong variables reports all of them at once", async () => {
    const { exitCode, output } = await serve(
      {},
      { LANYARD_PUBLIC_URL: "lanyard.acme.dev", LANYARD_LISTEN: "everywhere", LANYARD_AUDIT: "ftp://x" },
    );
    expect(exitCode).toBe(2);
    for (const name of ["LANYARD_PUBLIC_URL", "LANYARD_LISTEN", "LANYARD_AUDIT"])
      expect(output).toContain(name);
  });
});

describe("the command", () => {
  it("of an unknown name says which there are", async () => {
    const { exitCode, output } = await runLanyard(["policies"]);
    expect(exitCode).toBe(2);
    expect(output).toMatch(/policy/);
  });

  it("`policy check` of a folder that is none says so", async () => {
    const { exitCode, output } = await runLanyard(["policy", "check", join(folder, "nowhere")]);
    expect(exitCode).toBe(2);
    expect(output).toContain("nowhere");
  });

  it("`audit verify` without logs says so", async () => {
    await mkdir(join(folder, "empty"));
    await writeFile(join(folder, "keys.json"), '{"keys":[]}');
    const { exitCode, output } = await runLanyard([
      "audit",
      "verify",
      join(folder, "empty"),
      "--keys",
      join(folder, "keys.json"),
    ]);
    expect(exitCode).toBe(2);
    expect(output.length).toBeGreaterThan(10);
  });
});
