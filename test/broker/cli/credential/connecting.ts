/** `lanyard credential connect` and `test` beside a running broker, with whoever opens the address played by the test. */
import { vi } from "vitest";
import { credentialCommand } from "../../../../broker/cli/credential/command.ts";
import { ROLES, SERVERS, type TestBroker, robotsDocument, startTestBroker } from "../../../support/broker.ts";
import { type RecordedTerminal, recordTerminal } from "../recorded-terminal.ts";

export async function startBrokerWith(
  serverUrl: string,
  credential: string,
  publicUrl?: string,
): Promise<TestBroker> {
  const on = await startTestBroker({
    config: () => (publicUrl === undefined ? {} : { publicUrl }),
    files: (issuer) => ({
      "servers.yaml": `${SERVERS}  notes: { url: "${serverUrl}", credential: notes }\ncredentials:\n  notes: ${credential}\n`,
      "roles.yaml": ROLES.replace(
        "writer:",
        "writer: { grants: [{ server: notes, tools: [list_notes] }] }\n  second:",
      ),
      "robots/acme/payments.yaml": robotsDocument(issuer),
    }),
  });
  if (on.config.database.kind !== "sqlite") throw new Error("these tests are about a file");
  vi.stubEnv("LANYARD_DATABASE", `file:${on.config.database.path}`);
  vi.stubEnv("LANYARD_KEYS", `file:${on.config.keys}`);
  vi.stubEnv("LANYARD_PUBLIC_URL", on.url);
  return on;
}

/** `visit` gets the address that the command shows. */
export async function runCredential(
  on: { readonly config: Pick<TestBroker["config"], "policies"> },
  args: readonly string[],
  visit: (address: string) => Promise<unknown> = async () => {},
): Promise<RecordedTerminal & { readonly visited: unknown }> {
  const terminal = recordTerminal();
  let visiting: Promise<unknown> = Promise.resolve();
  const command = credentialCommand({
    policies: on.config.policies,
    terminal,
    readSecret: async () => Buffer.from("secret-of-a-test"),
    openBrowser: (address) => {
      visiting = visit(address).catch((error: unknown) => {
        // Nobody will come back.
        process.emit("SIGINT");
        return error;
      });
    },
  });
  await command.exitOverride().parseAsync(args, { from: "user" });
  return Object.assign(terminal, { visited: await visiting });
}
