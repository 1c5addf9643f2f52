/** Whole runs of a job whose server is reached through the broker, by clients of both eras. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RunView } from "../../broker/review/view.ts";
import { findStep } from "../../dev/runner.ts";
import { connectAgent, type Generation } from "../support/agents.ts";
import { type ReferenceServer, startReferenceServer } from "../support/mcp-reference-server.ts";
import { startWorld, type World } from "../support/world.ts";

let server: ReferenceServer;
let world: World;
beforeAll(async () => {
  server = await startReferenceServer();
  world = await startWorld({
    servers: `  reference: { url: "${server.url}", credential: nothing }\ncredentials:\n  nothing: { kind: none }\n`,
    roles: `  agent: { grants: [{ server: reference, tools: [echo], limit: { calls: 3 } }] }\n`,
  });
});
afterAll(async () => {
  await world.close();
  await server.close();
});

describe.each<Generation>(["first", "stateless"])("an agent of the %s generation", (generation) => {
  it("calls through the broker, and both logs say the same", async () => {
    const result = await world.play([
      world.lanyard,
      {
        id: "agent",
        call: async ({ outputs }) => {
          const agent = await connectAgent(outputs("lanyard")["mcp-config"] ?? "", "reference", generation);
          for (const text of ["one", "two", "three"]) expect(await agent.call("echo", { text })).toBe(text);
          expect(await agent.call("echo", { text: "four" })).toContain("3 calls");
          expect(await agent.call("not_granted", {})).toContain("Unknown tool");
          await agent.close();
        },
      },
    ]);
    expect(result.conclusion, result.steps.map(({ output }) => output).join("\n")).toBe("success");

    const path = new URL(findStep(result, "lanyard").outputs["review-url"] ?? "").pathname;
    const view = RunView.parse(JSON.parse((await world.visit(`/api${path}`)).text));
    expect(view.status).toBe("complete");
    expect(view.counts).toMatchObject({ calls: 5, allowed: 3, denied: 2 });
    expect(view.sessions.flatMap(({ integrity }) => [...integrity.problems, ...integrity.notes])).toEqual([]);

    const objects = await readdir(join(world.directory, "audit"), { recursive: true });
    const session = view.sessions[0]?.session ?? "none";
    const own = objects.filter((name) => name.includes(session)).map((name) => name.split("session=")[1]);
    expect(own).toContain(`${session}/relay/000001.jsonl.zst`);
    expect(own).toContain(`${session}/relay/manifest.json`);
  });
});
