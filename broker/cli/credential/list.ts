/** `lanyard credential list`: what there is, who uses it, and how it fares. */
import { Command } from "commander";
import { listHealth } from "../../storage/credentials/credential-health.ts";
import { listSecrets } from "../../storage/credentials/credential-secrets.ts";
import { listFormerGrants } from "../../storage/credentials/former-grants.ts";
import { showControls } from "../problem-report.ts";
import type { ExitCode } from "../terminal.ts";
import { type ListedCredential, describeCredentials } from "./listed-credentials.ts";
import { type CommonOptions, type Opened, withCredentials } from "./opened.ts";
import type { CommandParts } from "./set.ts";

export function credentialListCommand({ policies, terminal }: Omit<CommandParts, "readSecret">): Command {
  return new Command("list")
    .description("list credentials: kind, owner, who uses them, since when, and how they fare")
    .option("--policies <directory>", "the policy directory", policies)
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      "\nOf secrets, the beginning of a digest is shown: equal ones are equal secrets, and nobody can try guesses." +
        "\n\n  lanyard credential list --json | jq '.credentials[] | select(.health != \"good\")'",
    )
    .action(async (options: CommonOptions) => {
      await withCredentials(options, terminal, async (opened) => list(opened, options));
    });
}

async function list({ policies, database, terminal }: Opened, { json }: CommonOptions): Promise<ExitCode> {
  const secrets = await listSecrets(database);
  const health = await listHealth(database);
  const former = await listFormerGrants(database);
  const credentials = describeCredentials({ policies, secrets, health, former, now: Date.now() });
  if (json) {
    terminal.write(`${JSON.stringify({ ok: true, credentials })}\n`);
  } else if (credentials.length === 0) {
    terminal.write("servers.yaml names no credentials.\n");
  } else {
    terminal.write(credentials.map(render).join("\n"));
  }
  return 0;
}

function render(credential: ListedCredential): string {
  const { kind, owner, delivery, servers, roles, version, digest, failing_since, failure } = credential;
  const where = delivery === null ? "" : `, used at the ${delivery}`;
  const since = failing_since === null ? "" : ` since ${failing_since}: ${failure ?? ""}`;
  const lines = [
    `${credential.credential}  ${kind}, ${owner}${where}  ${credential.health}${since}`,
    `  servers    ${servers.join(", ") || "none"}; roles ${roles.join(", ") || "none"}`,
    ...(version === null
      ? []
      : [
          `  secret     version ${version}, digest ${digest}…, set ${credential.set_at} by ${credential.set_by}`,
        ]),
    ...(credential.fallback_until === null
      ? []
      : [`  fallback   the one before, until ${credential.fallback_until}`]),
    ...credential.former.map(
      ({ version: former, server, since: at, failure: why }) =>
        `  former     the grant of version ${former ?? "?"} for ${server}, over since ${at}, still counts at its issuer: ${why ?? "it is being ended."}`,
    ),
    `  last used  ${credential.last_used_at ?? "never"}${credential.expires_at === null ? "" : `; expires ${credential.expires_at}`}`,
  ];
  return `${lines.map(showControls).join("\n")}\n`;
}
