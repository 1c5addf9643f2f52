/** `lanyard credential set` and `rotate`: the first secret, and the next one. */
import { Command, InvalidArgumentError, Option } from "commander";
import { nameUser, parseUserName } from "../acting-user.ts";
import { periodOption } from "../period.ts";
import type { Terminal } from "../terminal.ts";
import { type CommonOptions, withCredentials } from "./opened.ts";
import type { ReadSecret } from "./secret-input.ts";
import { endOverlap, storeSecret } from "./storing.ts";

export interface CommandParts {
  readonly policies: string;
  readonly terminal: Terminal;
  readonly readSecret: ReadSecret;
}

interface SetOptions extends CommonOptions {
  readonly robot?: string;
  readonly expires?: number;
  readonly by: string;
}

interface RotateOptions extends SetOptions {
  readonly overlap: number;
  readonly now?: true;
  readonly end?: true;
}

export function credentialSetCommand({ policies, terminal, readSecret }: CommandParts): Command {
  return withSecretOptions(new Command("set"), policies)
    .description("store the secret of a credential, read from standard input or a prompt")
    .addHelpText(
      "after",
      "\nThe secret is never an argument: other users of the machine could list it." +
        "\n\n  lanyard credential set linear < token.txt" +
        "\n  lanyard credential set linear --robot acme/payments/triager" +
        "\n  pass show github-app | lanyard credential set github-robot" +
        "\n\nExit code: 0 when it is stored; 1 when one is stored already; 2 when it was called wrongly, or the secret cannot be one.",
    )
    .action(async (name: string, options: SetOptions) => {
      await withCredentials(options, terminal, async (opened) =>
        storeSecret(opened, { name, ...options, readSecret, overlapMs: undefined }),
      );
    });
}

export function credentialRotateCommand({ policies, terminal, readSecret }: CommandParts): Command {
  return withSecretOptions(new Command("rotate"), policies)
    .description("store the next secret; the one before stays a fallback for a while")
    .addOption(periodOption("--overlap <time>", "how long it stays one: 30m, 1h, 7d", "1h"))
    .addOption(new Option("--now", "the one before ends at once").conflicts("overlap"))
    .addOption(new Option("--end", "store nothing: end the fallback of an earlier rotation").conflicts("now"))
    .addHelpText(
      "after",
      "\nThe new secret counts at once. Where a server refuses it, the one before is tried until the overlap is over." +
        "\n\n  lanyard credential rotate linear --overlap 2h < token.txt" +
        "\n  lanyard credential rotate linear --end" +
        "\n\nExit code: 0 when it is done; 1 when there is nothing to rotate, or it is the secret that is stored; 2 when it was called wrongly.",
    )
    .action(async (name: string, options: RotateOptions) => {
      const overlapMs = options.now ? 0 : options.overlap;
      await withCredentials(options, terminal, async (opened) =>
        options.end
          ? endOverlap(opened, { name, ...options })
          : storeSecret(opened, { name, ...options, readSecret, overlapMs }),
      );
    });
}

function withSecretOptions(command: Command, policies: string): Command {
  return command
    .argument("<name>", "as in servers.yaml")
    .option("--robot <owner/repo/name>", "whose it is, where each robot has its own")
    .option("--expires <date>", "when it runs out where it was made: 2027-03-31", parseDate)
    .option(
      "--by <name>",
      "who does this, for the record; by default the user of this machine",
      parseUserName,
      nameUser(),
    )
    .option("--policies <directory>", "the policy directory", policies)
    .option("--json", "print one JSON object");
}

/** The end of that day, in UTC. */
function parseDate(text: string): number {
  const end = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/.test(text) ? Date.parse(`${text}T23:59:59Z`) : Number.NaN;
  if (Number.isNaN(end)) throw new InvalidArgumentError("Write a date: 2027-03-31.");
  if (end <= Date.now()) throw new InvalidArgumentError("This day is over.");
  return end;
}
