/** A whole run whose credentials are minted for it and presented by the proxy: they work, they show nowhere, they end with it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createVault } from "../../broker/credentials/vault/vault.ts";
import { loadSealingKey } from "../../broker/keys/sealing-key.ts";
import { RunView } from "../../broker/review/view.ts";
import { openDatabase } from "../../broker/storage/database.ts";
import { findStep } from "../../dev/runner.ts";
import { findTracked } from "../../dev/runner/leftovers.ts";
import { contentsOf, privateDirectory, visibleOf } from "../action/scenario-world.ts";
import { connectAgent } from "../support/agents.ts";
import { Canaries } from "../support/canary.ts";
import { indiscreetCommand, startIndiscreetServer } from "../support/mcp-indiscreet-server.ts";
import type { ScriptedServer } from "../support/mcp-scripted-http-server.ts";
import { type TokenPeer, startTokenPeer } from "../support/token-peer.ts";
import { startWorld, type World } from "../support/world.ts";

let peer: TokenPeer;
let server: ScriptedServer;
let world: World;
beforeAll(async () => {
  peer = await startTokenPeer();
  server = await startIndiscreetServer((authorization) =>
    peer.exchanged.some((token) => authorization === `Bearer ${token}`),
  );
  const command = JSON.stringify(indiscreetCommand);
  world = await startWorld({
    servers: `  direct: { url: "${server.url}", credential: desk }
  own: { command: ${command}, env: { TOKEN: "{credential}" }, credential: desk }
  other: { command: ${command} }
credentials:
  desk: { kind: token-exchange, issuer: "${peer.url}", client_id: lanyard, delivery: runner }
`,
    roles: `  agent: { grants: [{ server: direct, tools: [tell] }, { server: own, tools: [tell] }, { server: other, tools: [tell] }] }\n`,
  });
  const database = await openDatabase({ kind: "sqlite", path: join(world.directory, "broker.sqlite") });
  const sealingKey = await loadSealingKey(join(world.directory, "sealing-key.json"));
  const vault = createVault({ database, sealingKey, now: Date.now });
  const secret = Buffer.from("the-client-secret-of-the-broker");
  await vault.set({ name: "desk", owner: "", kind: "token-exchange", by: "ann", secret });
  await database.destroy();
});
afterAll(async () => {
  await world.close();
  await server.close();
  await peer.close();
});

it("canary: no minted token in results, files, arguments, logs or the environment of anything but its own server", async () => {
  const answers = new Map<string, string>();
  const processes: [command: string, seen: string][] = [];
  let files = new Map<string, string>();
  const result = await world.play([
    world.lanyard,
    {
      id: "agent",
      call: async ({ outputs, environment, runnerTemp }) => {
        for (const name of ["direct", "own", "other"]) {
          const agent = await connectAgent(outputs("lanyard")["mcp-config"] ?? "", name, "first");
          answers.set(name, await agent.call("tell", { mine: peer.exchanged.join(" ") }));
          if (name === "other") files = contentsOf(privateDirectory(runnerTemp));
          for (const { pid, command } of await findTracked(environment["RUNNER_TRACKING_ID"] ?? "")) {
            processes.push([command, visibleOf(pid)]);
          }
          await agent.close();
        }
      },
    },
  ]);
  expect(result.conclusion, result.steps.map(({ output }) => output).join("\n")).toBe("success");
  expect(peer.exchanged).toHaveLength(2);

  expect(answers.get("direct")).toContain("Bearer [redacted:credential:desk]");
  expect(answers.get("own")).toContain('"TOKEN":"[redacted:credential:desk]"');
  expect(answers.get("other")).not.toContain("TOKEN");
  const path = new URL(findStep(result, "lanyard").outputs["review-url"] ?? "").pathname;
  const page = (await world.visit(path)).text;
  const api = (await world.visit(`/api${path}`)).text;
  const holders = processes.filter(([, seen]) => peer.exchanged.some((token) => seen.includes(token)));
  expect(holders.length).toBeGreaterThan(0);
  expect(
    holders.every(([command, seen]) => command.includes("indiscreet") && seen.includes("\0TOKEN=")),
  ).toBe(true);
  expect(holders.every(([, seen]) => !(seen.split("\0TOKEN=")[0] ?? "").includes("access-"))).toBe(true);
  const places = new Map<string, string | Buffer>([
    ...answers,
    ["the job's log", result.steps.map(({ output }) => output).join("\n")],
    ["summary", findStep(result, "lanyard", "post").summary],
    ["outputs", JSON.stringify(findStep(result, "lanyard").outputs)],
    ["page", page],
    ["api", api],
    ["database", readFileSync(join(world.directory, "broker.sqlite"))],
    ["database's log", readFileSync(join(world.directory, "broker.sqlite-wal"))],
    ...files,
  ]);
  expect([...files.keys()].some((name) => name.endsWith("spool.jsonl"))).toBe(true);
  const canaries = new Canaries();
  canaries.plant("the client's secret", "the-client-secret-of-the-broker");
  for (const token of peer.exchanged) canaries.plant("a minted token", token);
  expect([...places].flatMap(([place, text]) => canaries.findIn(place, text))).toEqual([]);

  const view = RunView.parse(JSON.parse(api));
  expect(view.status).toBe("complete");
  const spool = [...files].find(([name]) => name.endsWith("spool.jsonl"))?.[1] ?? "";
  const records = spool
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));
  const calls = records.filter(({ kind, method }) => kind === "call" && method === "tools/call");
  expect(calls.map(({ server: name, credential }) => [name, credential?.id])).toEqual([
    ["direct", "desk"],
    ["own", "desk"],
    ["other", undefined],
  ]);
  expect(calls[0]?.credential).toEqual({
    id: "desk",
    digest: expect.stringMatching(/^[0-9a-f]{64}$/),
    expires_at: expect.stringMatching(/Z$/),
  });
  // The job is over: so is what was minted for it.
  await expect.poll(() => peer.revoked.toSorted(), { timeout: 20_000 }).toEqual(peer.exchanged.toSorted());
});
