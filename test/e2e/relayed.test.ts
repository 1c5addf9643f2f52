/**
 * The README's job and a server that needs a credential, as docs/credentials.md says: its documents, its three commands
 * against a real authorization server, then whole runs by clients of both eras, whose calls the broker makes.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { auditVerifyCommand } from "../../broker/cli/audit-verify.ts";
import { policyCheckCommand } from "../../broker/cli/policy/check.ts";
import { RunView } from "../../broker/review/view.ts";
import { findStep } from "../../dev/runner.ts";
import { runCredential } from "../broker/cli/credential/connecting.ts";
import { recordTerminal } from "../broker/cli/recorded-terminal.ts";
import { type DocumentedCommand, readCommands, readExamples } from "../docs/document-commands.ts";
import { connectAgent, type Generation } from "../support/agents.ts";
import { type AuthorizationPeer, startAuthorizationPeer } from "../support/authorization-server.ts";
import { fetchCheckpointKeys } from "../support/verification.ts";
import { startWorld, type World } from "../support/world.ts";

const ROOT = join(import.meta.dirname, "../..");
const DOCUMENT = join(ROOT, "docs/credentials.md");
const Workflow = z.object({ steps: z.array(z.object({ with: z.record(z.string(), z.string()) })).min(1) });

let peer: AuthorizationPeer;
let world: World;
let commands: readonly DocumentedCommand[];
const printed: { text: string; code: number | undefined }[] = [];
beforeAll(async () => {
  peer = await startAuthorizationPeer();
  const documents = await readExamples(DOCUMENT);
  const below = (file: string, member: string): string =>
    documents.get(file)?.replace("https://notes.example/mcp", peer.serverUrl).split(`\n${member}:\n`)[1] ??
    "";
  world = await startWorld({
    servers: below("servers.yaml", "servers"),
    roles: `${below("roles.yaml", "roles")}      - { server: notes, tools: [read_note], limit: { calls: 3 } }\n`,
    role: "reader",
  });
  vi.stubEnv("LANYARD_DATABASE", `file:${join(world.directory, "broker.sqlite")}`);
  vi.stubEnv("LANYARD_KEYS", `file:${join(world.directory, "sealing-key.json")}`);
  vi.stubEnv("LANYARD_PUBLIC_URL", world.broker.url);
  const policies = join(world.directory, "policies");
  commands = await readCommands(DOCUMENT, "A server that needs a credential, in three commands");
  for (const { command } of commands) {
    const [, group, ...args] = command.split(" ");
    if (group === "policy") {
      const terminal = recordTerminal();
      await policyCheckCommand({ policies }, terminal).parseAsync(args.slice(1), { from: "user" });
      printed.push({ text: terminal.err + terminal.out, code: terminal.code });
    } else {
      const logIn = async (address: string): Promise<unknown> => fetch(await peer.logIn(address));
      const { err, out, code } = await runCredential({ config: { policies } }, args, logIn);
      printed.push({ text: err + out, code });
    }
  }
}, 60_000);
afterAll(async () => {
  vi.unstubAllEnvs();
  await world.close();
  await peer.close();
});

/** What differs from one run to the next. */
function fix(text: string): string {
  return text
    .replaceAll(join(world.directory, "policies"), "policies")
    .replaceAll(peer.serverUrl, "https://notes.example/mcp")
    .replaceAll(peer.issuer, "https://login.notes.example")
    .replaceAll(/\?\S+/g, "?…")
    .replaceAll(/client_id: [^,]+/g, "client_id: …")
    .replaceAll(/\d\d:\d\d UTC/g, "10:25 UTC")
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "2027-01-04T10:25:00.000Z")
    .replaceAll(/\d+ ms, of which \d+ ms/g, "120 ms, of which 90 ms");
}

describe("a server that needs a credential", () => {
  it("takes what a person granted after three commands, which print what docs/credentials.md says", async () => {
    expect(commands.map(({ command }) => command)).toEqual([
      "lanyard policy check",
      "lanyard credential connect notes",
      "lanyard credential test notes",
    ]);
    const readme = await readFile(join(ROOT, "README.md"), "utf8");
    const [, block = ""] = /^## A server that needs a credential\n.*?^```\n(.*?)^```$/ms.exec(readme) ?? [];
    const typed = block.replaceAll("npm exec lanyard --", "lanyard").replace(" ../lanyard-policies", "");
    expect(typed.trim().split(/ *(?:#.*)?\n/)).toEqual(commands.map(({ command }) => command));
    expect(printed.map(({ text, code }) => [code, fix(text)])).toEqual(
      commands.map(({ output }) => [0, output]),
    );
  });
});

describe.each<Generation>(["first", "stateless"])("an agent of the %s generation", (generation) => {
  it("calls through the broker in the README's job, and both logs say the same", async () => {
    const readme = await readFile(join(ROOT, "README.md"), "utf8");
    const [, workflow = ""] = /^## Use it in a workflow\n.*?^```yaml\n(.*?)^```$/ms.exec(readme) ?? [];
    const inputs = Workflow.parse(parse(workflow)).steps[0]?.with;
    expect(inputs?.["broker"]).toBe("https://lanyard.acme.dev");
    const result = await world.play([
      { ...world.lanyard, with: { ...inputs, broker: world.broker.url } },
      {
        id: "agent",
        call: async ({ outputs }) => {
          const agent = await connectAgent(outputs("lanyard")["mcp-config"] ?? "", "notes", generation);
          expect(await agent.call("list_notes", {})).toBe("list_notes");
          for (let n = 0; n < 3; n += 1) expect(await agent.call("read_note", {})).toBe("read_note");
          expect(await agent.call("read_note", {})).toContain("3 calls");
          expect(await agent.call("not_granted", {})).toContain("Unknown tool");
          await agent.close();
        },
      },
    ]);
    expect(result.conclusion, result.steps.map(({ output }) => output).join("\n")).toBe("success");

    const path = new URL(findStep(result, "lanyard").outputs["review-url"] ?? "").pathname;
    const view = RunView.parse(JSON.parse((await world.visit(`/api${path}`)).text));
    expect(view.status).toBe("complete");
    expect(view.counts).toMatchObject({ calls: 6, allowed: 4, denied: 2 });
    expect(view.sessions.flatMap(({ integrity }) => [...integrity.problems, ...integrity.notes])).toEqual([]);
    const [session] = view.sessions;
    expect(session?.presented).toMatchObject([{ credential: "notes", stream: "relay", calls: 4 }]);
    const { digest, expires_at } = session?.presented[0] ?? {};
    expect(view.calls.rows.map(({ credential }) => credential)).toEqual([
      ...Array.from({ length: 4 }, () => ({ id: "notes", digest, expires_at, by: "relay" })),
      ...[null, null],
    ]);

    const audit = join(world.directory, "audit");
    const objects = await readdir(audit, { recursive: true });
    const own = objects.filter((name) => name.includes(session?.session ?? "none"));
    expect(own.some((name) => name.endsWith("relay/000001.jsonl.zst"))).toBe(true);
    expect(own.some((name) => name.endsWith("relay/manifest.json"))).toBe(true);
    const [folder = ""] = own;
    const keys = await fetchCheckpointKeys(world.broker.url, join(world.directory, "keys.json"));
    const terminal = recordTerminal();
    await auditVerifyCommand(terminal).parseAsync([join(audit, folder), "--keys", keys], { from: "user" });
    expect(terminal.code).toBe(0);
    const [, shown = ""] =
      /^## In the log\n.*?^```text\n(.*?)^```$/ms.exec(await readFile(DOCUMENT, "utf8")) ?? [];
    // How many records there are depends on the client, and on how many checkpoints there was time for.
    const blur = (text: string): string =>
      fix(text)
        .replaceAll(/[0-9a-f]{64}/g, "…")
        .replaceAll(/(?<=run )\d+|\d+(?= records| of the relay)|(?<=witnessed to )\d+/g, "…");
    expect(blur(terminal.out)).toBe(blur(shown));
    expect(terminal.out).toContain(digest);
  });
});
