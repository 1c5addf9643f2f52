/**
 * `lanyard credential`: the secrets behind what servers want to see. Works on the database directly, also while brokers
 * run: what it changes counts from the next call on.
 */
import { Command } from "commander";
import { type PolicyDefaults, readDefaults } from "../defaults.ts";
import { type Terminal, openTerminal } from "../terminal.ts";
import { type OpenBrowser, openBrowser } from "./browser.ts";
import { credentialConnectCommand } from "./connect.ts";
import { credentialListCommand } from "./list.ts";
import { credentialRemoveCommand } from "./remove.ts";
import { type ReadSecret, readSecret } from "./secret-input.ts";
import { credentialRotateCommand, credentialSetCommand } from "./set.ts";
import { credentialTestCommand } from "./test.ts";

interface Parts extends PolicyDefaults {
  readonly terminal: Terminal;
  readonly readSecret: ReadSecret;
  /** By default the machine's own. */
  readonly openBrowser?: OpenBrowser;
}

export function credentialCommand(
  parts: Parts = { ...readDefaults(), terminal: openTerminal(), readSecret },
): Command {
  return new Command("credential")
    .description("set, connect, test, list, rotate and remove the credentials that servers want to see")
    .addCommand(credentialSetCommand(parts))
    .addCommand(credentialConnectCommand({ openBrowser, ...parts }))
    .addCommand(credentialTestCommand(parts))
    .addCommand(credentialListCommand(parts))
    .addCommand(credentialRotateCommand(parts))
    .addCommand(credentialRemoveCommand(parts));
}
