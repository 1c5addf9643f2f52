import { mkdtempSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, it } from "vitest";
import {
  type ProcessIdentity,
  endProcess,
  isRunning,
  waitForEnd,
} from "../../../action/runner/process-identity.ts";
import { startProxyProcess } from "../../../action/runner/proxy-process.ts";

let directory = "";
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "lanyard-test-"));
});

const configuration = () => ({
  broker: "https://lanyard.acme.dev",
  oidc: { url: "https://token.example/", token: "canary-request-token" },
  robot: undefined,
  roles: [],
  servers: [],
  agents: ["agent"],
  directory,
  runnerTemp: "/temp",
  workspace: "/work",
  runnerEnvironment: "github-hosted",
  httpProxies: {},
});

/** Starts this script in the proxy's place. */
async function start(script: string) {
  const file = join(directory, "proxy.cjs");
  writeFileSync(file, `const fs = require("node:fs");\n${script}`);
  const started: ProcessIdentity[] = [];
  const readiness = await startProxyProcess({
    file,
    configuration: configuration(),
    environment: { PATH: "/bin" },
    onSpawn: (identity) => started.push(identity),
  });
  return { readiness, started };
}

const READY = {
  status: "ready",
  url: "http://127.0.0.1:1",
  controlToken: "c",
  agents: [{ name: "agent", token: "t" }],
  session: "s",
  robot: "acme/payments/triager",
  roles: [],
  servers: [],
  maxExpiresAt: "2026-11-22T12:00:00.000Z",
  reviewUrl: "https://lanyard.acme.dev/runs/1",
};

it("the proxy gets its configuration over standard input alone, and outlives the wait", async () => {
  const { readiness, started } = await start(`
    const seen = { stdin: JSON.parse(fs.readFileSync(0, "utf8")), argv: process.argv, env: process.env, cwd: process.cwd() };
    fs.writeFileSync("seen.json", JSON.stringify(seen));
    console.log("to its own file");
    fs.writeSync(3, ${JSON.stringify(JSON.stringify(READY))});
    fs.closeSync(3);
    setInterval(() => {}, 1000);
  `);
  expect(readiness).toEqual(READY);
  const [identity] = started;
  expect(identity !== undefined && isRunning(identity)).toBe(true);
  const { stdin, argv, env, cwd } = JSON.parse(readFileSync(join(directory, "seen.json"), "utf8"));
  expect(stdin).toEqual(JSON.parse(JSON.stringify(configuration())));
  expect(JSON.stringify([argv, env])).not.toContain("canary");
  expect(env).toEqual({ PATH: "/bin" });
  expect(cwd).toBe(directory);
  expect(readFileSync(join(directory, "proxy.log"), "utf8")).toBe("to its own file\n");
  expect(statSync(join(directory, "proxy.log")).mode & 0o777).toBe(0o600);
  if (identity !== undefined) await endProcess(identity, 100);
});

it("what the proxy gives as its reason is the reason", async () => {
  const failed = { status: "failed", message: "The broker did not accept this job." };
  const { readiness } = await start(
    `fs.writeSync(3, ${JSON.stringify(JSON.stringify(failed))}); process.exit(1);`,
  );
  expect(readiness).toEqual(failed);
});

it.each([
  [
    "throws",
    "throw new TypeError('no such thing')",
    "The proxy ended before it was ready: TypeError: no such thing",
  ],
  ["ends without a word", "process.exit(0)", "The proxy ended before it was ready: run the job again."],
  [
    "says something else",
    "fs.writeSync(3, 'hello')",
    "The proxy ended before it was ready: run the job again.",
  ],
])("a proxy that %s ends the wait with a sentence", async (_, script, message) => {
  expect((await start(script)).readiness).toEqual({ status: "failed", message });
});

it("a proxy that talks without end is ended", async () => {
  const { readiness, started } = await start(`
    fs.writeSync(3, "x".repeat(60_000));
    setInterval(() => fs.writeSync(3, "x".repeat(10_000)), 5);
  `);
  expect(readiness).toMatchObject({ status: "failed", message: expect.stringContaining("too long") });
  const [identity] = started;
  expect(identity !== undefined && (await waitForEnd(identity, 5_000))).toBe(true);
});
