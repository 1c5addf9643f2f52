/**
 * `lanyard credential test`: makes what the server wants to see, shows it to the server, and says what came of it: who
 * the issuer and the server say that this is, or which of them did not agree, and why.
 */
import { Command } from "commander";
import { ownershipOf } from "../../../policies/delivery.ts";
import { suggestNames } from "../../../policies/documents/nearest-name.ts";
import { readPublicUrl } from "../../config.ts";
import { listCredentialUsers, ownerInWords } from "../../credentials/credential-users.ts";
import { NoAnswer, count } from "../policy/answer.ts";
import { showControls } from "../problem-report.ts";
import { openStoredKey } from "../keys/sealing-key.ts";
import type { ExitCode, Terminal } from "../terminal.ts";
import { findNamed, nameWithOwner } from "./named-credential.ts";
import { type CommonOptions, type Opened, withCredentials } from "./opened.ts";
import { openOwnEgress } from "./own-egress.ts";
import { chooseServer } from "./server-choice.ts";
import { visitServer } from "./server-visit.ts";
import { tryCredential } from "./trial.ts";

const MAX_TOOLS_SHOWN = 20;

interface Options extends CommonOptions {
  readonly robot?: string;
  readonly server?: string;
}

export function credentialTestCommand({
  policies,
  terminal,
}: {
  readonly policies: string;
  readonly terminal: Terminal;
}): Command {
  return new Command("test")
    .description("show a credential to its server, and say who that takes it for")
    .argument("<name>", "as in servers.yaml")
    .option("--robot <owner/repo/name>", "as which robot; where it is shared, by default one that reaches it")
    .option("--server <name>", "which server, where several have it")
    .option("--policies <directory>", "the policy directory", policies)
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      "\nThe server is asked for its tools and nothing else. What was made for the test alone is ended again, where its" +
        "\nissuer can; where that fails, brokers try it again, and `lanyard credential list` has it. Codes of failures: secret_missing, refused, unavailable (the issuer); server_refused, unreachable," +
        "\nserver_failed (the server)." +
        "\n\n  lanyard credential test notion" +
        "\n  lanyard credential test linear --robot acme/payments/triager --json" +
        "\n\nExit code: 0 when the server took it; 1 when not; 2 when it was called wrongly.",
    )
    .action(async (name: string, options: Options) => {
      await withCredentials(options, terminal, async (opened) => test(opened, { name, ...options }));
    });
}

async function test(
  { policies, database, terminal }: Opened,
  { name, json, ...options }: Options & { readonly name: string },
): Promise<ExitCode> {
  const entry = policies.credentials.get(name);
  const isShared = entry !== undefined && ownershipOf(entry) === "shared";
  const named = findNamed(policies, { name, robot: isShared ? undefined : options.robot });
  const { robots } = listCredentialUsers(policies, name);
  if (options.robot !== undefined && !robots.includes(options.robot)) {
    throw new NoAnswer(
      `No robot ${JSON.stringify(options.robot)} reaches it: ${suggestNames(options.robot, robots)}`,
    );
  }
  const server = chooseServer(policies, { credential: name, server: options.server });
  const sealingKey = await openStoredKey(database, terminal);
  if (sealingKey === undefined) return 2;
  const egress = openOwnEgress(policies);
  const read = readPublicUrl();
  if (!read.ok && named.entry.kind === "token-exchange") {
    throw new NoAnswer(read.problems.map(({ variable, message }) => `${variable}: ${message}`).join("\n"));
  }
  const startedAt = performance.now();
  const about = {
    credential: name,
    owner: ownerInWords(named.owner),
    kind: named.entry.kind,
    server: server.name,
  };
  const took = (): number => Math.round(performance.now() - startedAt);
  const fail = (code: string, message: string): ExitCode => {
    if (json) terminal.write(`${JSON.stringify({ ok: false, ...about, code, message, took_ms: took() })}\n`);
    else terminal.writeError(`${nameWithOwner(named)}: ${code}: ${showControls(message)}\n`);
    return 1;
  };

  const trial = await tryCredential({
    ...{ named, policies, database, sealingKey, serverUrl: server.url, ask: egress.askIssuer },
    robot: options.robot ?? robots[0],
    publicUrl: read.ok ? read.publicUrl : "",
  });
  if (!trial.ok) return fail(trial.code, trial.sentence);
  const { shown, who } = trial;
  const mintedMs = took();
  let isEnded = false;
  /** What is left of the trial, where something is: it is said in the same breath as what came of it. */
  const end = async (): Promise<string | undefined> => {
    isEnded = true;
    const result = await trial.end();
    if (result === undefined || result.ok) return undefined;
    const until = shown.expiresAt === undefined ? "" : `, which is over at ${timestampOf(shown.expiresAt)}`;
    const then = result.code === "impossible" ? "" : " Brokers try it again.";
    return `What was made for the test still counts${until}: ${result.sentence}${then}`;
  };
  try {
    const isPrivate = policies.servers.get(server.name)?.private === true;
    const visit =
      server.url === undefined
        ? undefined
        : await visitServer({ url: server.url, isPrivate, headers: shown.headers }, egress);
    const left = await end();
    if (visit?.ok === false)
      return fail(visit.code, [visit.sentence, ...(left === undefined ? [] : [left])].join(" "));
    const found = {
      ok: true,
      ...about,
      who,
      expires_at: shown.expiresAt === undefined ? null : timestampOf(shown.expiresAt),
      server_info: visit?.server ?? null,
      protocol: visit?.protocol ?? null,
      tools: visit?.tools ?? null,
      left: left ?? null,
      minted_ms: mintedMs,
      took_ms: took(),
    };
    // A stranger wrote much of it, and could have repeated what it was shown.
    const hide = (text: string): string =>
      shown.secrets.reduce((hidden, secret) => hidden.replaceAll(secret, "[redacted]"), text);
    terminal.write(hide(json ? `${JSON.stringify(found)}\n` : render(nameWithOwner(named), found)));
    return 0;
  } finally {
    if (!isEnded) await trial.end();
  }
}

function timestampOf(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}

interface Found {
  readonly credential: string;
  readonly owner: string;
  readonly kind: string;
  readonly server: string;
  readonly who: readonly string[];
  readonly expires_at: string | null;
  readonly server_info: { readonly name: string; readonly version: string } | null;
  readonly protocol: string | null;
  readonly tools: readonly string[] | null;
  /** Why what was made for the test still counts; null: it does not, or serves all sessions. */
  readonly left: string | null;
  readonly minted_ms: number;
  readonly took_ms: number;
}

function render(title: string, { who, server_info: info, tools, left, ...found }: Found): string {
  const more = (tools?.length ?? 0) - MAX_TOOLS_SHOWN;
  const list = tools?.slice(0, MAX_TOOLS_SHOWN).join(", ");
  const lines = [
    `${title} (${found.kind}) works.`,
    `  who      ${who.length === 0 ? "the issuer does not say" : who.join(", ")}`,
    `  expires  ${found.expires_at ?? "not by itself"}`,
    ...(tools === null
      ? [`  server   ${found.server} is started in the runner, and was not asked`]
      : [
          `  server   ${found.server}${info === null ? "" : `: ${info.name} ${info.version}`}, MCP ${found.protocol ?? "of no version"}`,
          `  tools    ${count(tools.length, "tool")}: ${list}${more > 0 ? `, and ${more} more` : ""}`,
        ]),
    ...(left === null ? [] : [`  left     ${left}`]),
    `  took     ${found.took_ms} ms, of which ${found.minted_ms} ms for the credential`,
  ];
  return `${lines.map(showControls).join("\n")}\n`;
}
