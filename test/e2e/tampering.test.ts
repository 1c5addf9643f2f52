/** What was stored is changed afterwards: the page and the offline verifier name the part. */
import { cp, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { RunView } from "../../broker/review/view.ts";
import { findStep } from "../../dev/runner.ts";
import { connectAgent } from "../support/agents.ts";
import { referenceCommand } from "../support/mcp-reference-server.ts";
import { fetchCheckpointKeys, verifyOffline } from "../support/verification.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World;
let path: string;
let keys: string;
/** The session's objects in the broker's own bucket. */
let stored: string;
const scratch: string[] = [];

beforeAll(async () => {
  world = await startWorld({
    servers: `  reference: { command: ${JSON.stringify(referenceCommand())} }\n`,
    roles: `  agent: { grants: [{ server: reference, tools: [echo] }] }\n`,
  });
  const result = await world.play([
    world.lanyard,
    {
      id: "agent",
      call: async ({ outputs }) => {
        const agent = await connectAgent(outputs("lanyard")["mcp-config"] ?? "", "reference", "stateless");
        expect(await agent.call("echo", { text: "one" })).toBe("one");
        expect(await agent.call("secret", {})).toContain("Unknown tool");
        await agent.close();
      },
    },
  ]);
  expect(result.conclusion).toBe("success");
  path = new URL(findStep(result, "lanyard").outputs["review-url"] ?? "").pathname;
  keys = await fetchCheckpointKeys(world.broker.url, join(world.directory, "keys.json"));
  const entries = await readdir(join(world.directory, "audit"), { recursive: true });
  const manifest = entries.find((entry) => entry.endsWith("manifest.json"));
  if (manifest === undefined) throw new Error("no manifest was stored");
  stored = dirname(join(world.directory, "audit", manifest));
});

afterAll(async () => {
  await world.close();
  for (const folder of scratch) await rm(folder, { recursive: true });
});

async function copyOfSession(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "lanyard-tampered-"));
  scratch.push(folder);
  await cp(stored, join(folder, basename(stored)), { recursive: true });
  return join(folder, basename(stored));
}

async function flipByte(file: string, at: number): Promise<void> {
  const bytes = await readFile(file);
  bytes[at] = (bytes[at] ?? 0) ^ 0x01;
  await writeFile(file, bytes);
}

describe("the log of a whole run", () => {
  it("verifies offline as it is", async () => {
    expect(await verifyOffline(await copyOfSession(), keys)).toMatchObject({ exitCode: 0 });
  });

  it.each([0.1, 0.5, 0.9])("one byte changed in a segment, at %d of it, is named offline", async (place) => {
    const folder = await copyOfSession();
    const segment = join(folder, "runner", "000001.jsonl.zst");
    await flipByte(segment, Math.floor((await readFile(segment)).length * place));
    const { exitCode, output } = await verifyOffline(folder, keys);
    expect(exitCode).toBe(1);
    expect(output).toContain("runner/000001.jsonl.zst");
    expect(output).toMatch(/^broken/m);
  });

  it.each([0.1, 0.5, 0.9])(
    "one byte changed in the manifest, at %d of it, is named offline",
    async (place) => {
      const folder = await copyOfSession();
      const manifest = join(folder, "manifest.json");
      await flipByte(manifest, Math.floor((await readFile(manifest)).length * place));
      const { exitCode, output } = await verifyOffline(folder, keys);
      expect(exitCode).toBe(1);
      expect(output).toContain("manifest.json");
    },
  );

  it("a segment that is gone is named offline", async () => {
    const folder = await copyOfSession();
    await rm(join(folder, "runner", "000001.jsonl.zst"));
    const { exitCode, output } = await verifyOffline(folder, keys);
    expect(exitCode).toBe(1);
    expect(output).toContain("runner/000001.jsonl.zst");
  });

  it("one byte changed in the broker's own bucket is named on the run's page", async () => {
    const before = RunView.parse(JSON.parse((await world.visit(`/api${path}`)).text));
    expect(before.status).toBe("complete");
    const segment = join(stored, "runner", "000001.jsonl.zst");
    const original = await readFile(segment);
    await flipByte(segment, Math.floor(original.length / 2));
    const view = RunView.parse(JSON.parse((await world.visit(`/api${path}`)).text));
    expect(view.status).toBe("broken");
    expect((await world.visit(path)).text).toContain("runner/000001.jsonl.zst");
    await writeFile(segment, original);
  });
});
