/**
 * A whole run whose servers want credentials that stay at the broker: while it runs, the runner has none of them, not in
 * the proxy's memory, environment, arguments and files, nor on its way to and from the broker.
 */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createVault } from "../../broker/credentials/vault/vault.ts";
import { loadSealingKey } from "../../broker/keys/sealing-key.ts";
import { openDatabase } from "../../broker/storage/database.ts";
import type { JobResult } from "../../dev/runner.ts";
import { findTracked } from "../../dev/runner/leftovers.ts";
import { logOf } from "../action/scenario-world.ts";
import { connectAgent } from "../support/agents.ts";
import { Canaries } from "../support/canary.ts";
import { startIndiscreetServer } from "../support/mcp-indiscreet-server.ts";
import type { ScriptedServer } from "../support/mcp-scripted-http-server.ts";
import { type RecordingPipe, openRecordingPipe } from "../support/recording-pipe.ts";
import { type World, startWorld } from "../support/world.ts";

const KINDS = ["bearer", "headers", "basic"] as const;
/** What is in a process's memory is read on Linux alone. */
const isLinux = process.platform === "linux";

const canaries = new Canaries();
const secrets = Object.fromEntries(
  KINDS.map((kind) => [kind, canaries.plant(kind, `canary/${kind}+${randomBytes(12).toString("hex")}`)]),
);
/** What the runner does have: that the search finds it says that it would find a secret. */
const controls = new Canaries();

let server: ScriptedServer;
let pipe: RecordingPipe;
let world: World;
let result: JobResult;
const told: string[] = [];
const shown: string[] = [];
const files: string[] = [];
let memory: string[] | undefined;
const control = { shown: [] as string[], files: [] as string[], memory: undefined as string[] | undefined };

beforeAll(async () => {
  server = await startIndiscreetServer((authorization) => authorization !== "Bearer nobody");
  pipe = await openRecordingPipe();
  const url = JSON.stringify(server.url);
  const servers = KINDS.map((kind) => `  by-${kind}: { url: ${url}, credential: ${kind} }\n`).join("");
  world = await startWorld({
    publicUrl: pipe.url,
    servers: `${servers}credentials:
  bearer: { kind: bearer }
  headers: { kind: headers, headers: { x-api-key: "key {secret}" } }
  basic: { kind: basic, username: robot }
`,
    roles: `  agent: { grants: [${KINDS.map((kind) => `{ server: by-${kind}, tools: [tell] }`).join(", ")}] }\n`,
  });
  pipe.leadTo(world.broker.address.port);
  const database = await openDatabase({ kind: "sqlite", path: join(world.directory, "broker.sqlite") });
  const sealingKey = await loadSealingKey(join(world.directory, "sealing-key.json"));
  const vault = createVault({ database, sealingKey, now: Date.now });
  for (const kind of KINDS) {
    const secret = Buffer.from(secrets[kind] ?? "");
    await vault.set({ name: kind, owner: "", kind, by: "ann", secret });
  }
  await database.destroy();

  result = await world.play([
    world.lanyard,
    {
      id: "agent",
      call: async ({ outputs, environment, runnerTemp }) => {
        const argument = `control-${randomBytes(12).toString("hex")}`;
        controls.plant("an argument", argument);
        controls.plant("the tracking id", environment["RUNNER_TRACKING_ID"] ?? "");
        const config = outputs("lanyard")["mcp-config"] ?? "";
        for (const kind of KINDS) {
          const agent = await connectAgent(config, `by-${kind}`, "first");
          told.push(await agent.call("tell", { argument }));
          if (kind === "basic" && isLinux) {
            const tracked = await findTracked(environment["RUNNER_TRACKING_ID"] ?? "");
            for (const { pid } of tracked) {
              shown.push(...(await canaries.findInProcess(pid)));
              control.shown.push(...(await controls.findInProcess(pid)));
            }
            const proxy = tracked.find(({ command }) => command.includes("proxy.cjs"));
            if (proxy === undefined) throw new Error("there is no proxy");
            memory = await canaries.findInMemory(proxy.pid);
            control.memory = await controls.findInMemory(proxy.pid);
          }
          files.push(...(await canaries.findInFiles(runnerTemp)));
          control.files.push(...(await controls.findInFiles(runnerTemp)));
          await agent.close();
        }
      },
    },
  ]);
}, 180_000);
afterAll(async () => {
  await world.close();
  await pipe.close();
  await server.close();
});

it("the calls work, each with its credential", () => {
  expect(result.conclusion, logOf(result)).toBe("success");
  const seen = server.received.filter(({ message }) => message?.params?.name === "tell");
  const basic = Buffer.from(`robot:${secrets["basic"]}`).toString("base64");
  expect(seen.map(({ headers }) => headers.authorization ?? headers["x-api-key"])).toEqual([
    `Bearer ${secrets["bearer"]}`,
    `key ${secrets["headers"]}`,
    `Basic ${basic}`,
  ]);
});

it("canary: what a server sends back of them does not reach the agent", () => {
  expect(told).toHaveLength(KINDS.length);
  for (const text of told) expect(text).toContain("[redacted:credential:");
  expect(canaries.findIn("results", told.join("\n"))).toEqual([]);
});

it.runIf(isLinux)(
  "canary: not in the environment, arguments and open files of any process of the job",
  () => {
    expect(control.shown.join("\n")).toContain("the tracking id (plain) in environ");
    expect(shown).toEqual([]);
  },
);

it.runIf(isLinux)("canary: not in the memory of the proxy", ({ skip }) => {
  if (control.memory === undefined && process.env["CI"] === undefined) {
    skip("this system lets no process read another's memory: kernel.yama.ptrace_scope is not 0");
  }
  expect(control.memory?.join("\n"), "readable: set kernel.yama.ptrace_scope to 0").toContain(
    "an argument (plain) in the memory",
  );
  expect(memory).toEqual([]);
});

it("canary: not in the files of the runner", () => {
  expect(control.files.join("\n")).toContain("an argument (plain) in");
  expect(files).toEqual([]);
});

it("canary: not in anything that the runner and the broker say to each other", () => {
  const both = pipe.recorded();
  expect(both.flatMap((bytes) => controls.findIn("the pipe", bytes))).toContain(
    "an argument (plain) in the pipe",
  );
  expect(both.flatMap((bytes) => canaries.findIn("the pipe", bytes))).toEqual([]);
});
