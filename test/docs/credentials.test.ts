/** docs/credentials.md: its three commands, run as they stand there against a real authorization server and its MCP server. */
import { join } from "node:path";
import { afterAll, afterEach, expect, test, vi } from "vitest";
import { policyCheckCommand } from "../../broker/cli/policy/check.ts";
import { runCredential, startBrokerWith } from "../broker/cli/credential/connecting.ts";
import { recordTerminal } from "../broker/cli/recorded-terminal.ts";
import { startAuthorizationPeer } from "../support/authorization-server.ts";
import { readCommands } from "./document-commands.ts";

const DOCUMENT = join(import.meta.dirname, "../../docs/credentials.md");
const closing: (() => Promise<void>)[] = [];
afterEach(() => {
  vi.unstubAllEnvs();
});
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

test("three commands lead from the documents to a server that takes what a person granted", async () => {
  const peer = await startAuthorizationPeer();
  closing.push(() => peer.close());
  const on = await startBrokerWith(peer.serverUrl, "{ kind: oauth }");
  closing.push(() => on.close());
  const commands = await readCommands(DOCUMENT, "A server that needs a credential, in three commands");
  expect(commands.map(({ command }) => command)).toEqual([
    "lanyard policy check",
    "lanyard credential connect notes",
    "lanyard credential test notes",
  ]);
  /** What differs from one run to the next. */
  const fixed = (printed: string): string =>
    printed
      .replaceAll(on.config.policies, "policies")
      // The documents of these tests have a role that nobody gets.
      .replaceAll(", 1 warning", "")
      .replaceAll(peer.serverUrl, "https://notes.example/mcp")
      .replaceAll(peer.issuer, "https://login.notes.example")
      .replaceAll(/\?\S+/g, "?…")
      .replaceAll(/client_id: [^,]+/g, "client_id: …")
      .replaceAll(/\d\d:\d\d UTC/g, "10:25 UTC")
      .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "2027-01-04T10:25:00.000Z")
      .replaceAll(/\d+ ms, of which \d+ ms/g, "120 ms, of which 90 ms");

  const [check, ...others] = commands;
  const checked = recordTerminal();
  await policyCheckCommand({ policies: on.config.policies }, checked).parseAsync([], { from: "user" });
  expect([checked.code, fixed(checked.out)]).toEqual([0, check?.output]);

  for (const { command, output } of others) {
    const { out, err, code } = await runCredential(on, command.split(" ").slice(2), async (address) =>
      fetch(await peer.logIn(address)),
    );
    expect(fixed(err + out)).toBe(output);
    expect(code).toBe(0);
  }
}, 60_000);
