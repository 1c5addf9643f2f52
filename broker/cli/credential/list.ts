/** `lanyard credential list`: what there is, who uses it, and how it fares. The same as on the page `/credentials`. */
import { Command } from "commander";
import { listCredentials } from "../../review/credential-list.ts";
import type { CredentialView, FormerView } from "../../review/credential-view.ts";
import { showControls } from "../problem-report.ts";
import type { ExitCode } from "../terminal.ts";
import { type CommonOptions, type Opened, withCredentials } from "./opened.ts";
import type { CommandParts } from "./set.ts";

export function credentialListCommand({ policies, terminal }: Omit<CommandParts, "readSecret">): Command {
  return new Command("list")
    .description("list credentials: kind, owner, who uses them, since when, and how they fare")
    .option("--policies <directory>", "the policy directory", policies)
    .option("--json", "print one JSON object, as /api/credentials has it")
    .addHelpText(
      "after",
      "\nWhat needs somebody stands first, with what to do, then what runs out soonest. Of secrets, the beginning of a digest" +
        "\nis shown: equal ones are equal secrets, and nobody can try guesses." +
        "\n\n  lanyard credential list --json | jq '.credentials[] | select(.health != \"good\")'" +
        "\n\nExit code: 0 when they are listed, however they fare; 2 when it was called wrongly.",
    )
    .action(async (options: CommonOptions) => {
      await withCredentials(options, terminal, async (opened) => list(opened, options));
    });
}

async function list({ policies, database, terminal }: Opened, { json }: CommonOptions): Promise<ExitCode> {
  const { credentials } = await listCredentials({ database, policies, now: Date.now() });
  if (json) {
    terminal.write(`${JSON.stringify({ ok: true, credentials })}\n`);
  } else if (credentials.length === 0) {
    terminal.write(
      "servers.yaml names no credentials: name one there, under `credentials` and at its server.\n",
    );
  } else {
    terminal.write(credentials.map(render).join("\n"));
  }
  return 0;
}

function render(credential: CredentialView): string {
  const { kind, owner, delivery, servers, roles, version, digest, failing, sentence } = credential;
  const where = delivery === null ? "" : `, used at the ${delivery}`;
  const since = failing === null ? "" : ` since ${failing.since}`;
  const lines = [
    `${credential.credential}  ${kind ?? "unknown"}, ${owner}${where}  ${credential.health}${since}`,
    ...(sentence === null ? [] : [`  to do      ${sentence}`]),
    `  servers    ${servers.join(", ") || "none"}; roles ${roles.join(", ") || "none"}`,
    ...(version === null
      ? []
      : [
          `  secret     version ${version}, digest ${digest}…, set ${credential.set_at} by ${credential.set_by}`,
        ]),
    ...(credential.fallback_until === null
      ? []
      : [`  fallback   the one before, until ${credential.fallback_until}`]),
    ...credential.former.map((each) => `  former     ${describeFormer(each)}`),
    ...(credential.former_left_out === 0 ? [] : [`  former     and ${credential.former_left_out} more`]),
    `  last used  ${credential.last_used_at ?? (kind === "none" ? "not noted" : "never")}; expires ${describeExpiry(credential)}`,
  ];
  return `${lines.map(showControls).join("\n")}\n`;
}

function describeExpiry({ expires_at, presented_until }: CredentialView): string {
  return expires_at ?? (presented_until === null ? "not by itself" : `${presented_until}, renewed before`);
}

function describeFormer({ session, version, server, digest, since, ...former }: FormerView): string {
  const { state, expires_at, attempts, failure } = former;
  if (session === null) {
    return `the grant of version ${version ?? "?"} for ${server}, over since ${since}, still counts at its issuer: ${failure ?? "it is being ended."}`;
  }
  const what = digest === null ? `for ${session}` : `${digest.slice(0, 12)} of ${session}`;
  const how =
    state === "ending"
      ? `tried in vain ${attempts === 1 ? "once" : `${attempts} times`}`
      : "nobody can end it";
  const end = expires_at === null ? "" : `, runs out ${expires_at}`;
  return `${what}: ${how}${end}${failure === null ? "" : `: ${failure}`}`;
}
