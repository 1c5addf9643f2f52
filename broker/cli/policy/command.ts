/** `lanyard policy`: the tools of who writes and who reviews a policy. It only wires: one file for each of them. */
import { Command } from "commander";
import type { PolicyDefaults } from "../defaults.ts";
import { openTerminal, type Terminal } from "../terminal.ts";
import { policyCheckCommand } from "./check.ts";
import { policyDiffCommand } from "./diff.ts";
import { policyExplainCommand } from "./explain.ts";
import { policyLockCommand } from "./lock.ts";
import { policyReplayCommand } from "./replay.ts";
import { policySchemaCommand } from "./schema.ts";
import { policySuggestCommand } from "./suggest.ts";
import { policyTestCommand } from "./test.ts";

export function policyCommand(defaults: PolicyDefaults, terminal: Terminal = openTerminal()): Command {
  return new Command("policy")
    .addCommand(policyCheckCommand(defaults, terminal))
    .addCommand(policyExplainCommand(defaults, terminal))
    .addCommand(policyTestCommand(defaults, terminal))
    .addCommand(policyDiffCommand(defaults, terminal))
    .addCommand(policyReplayCommand(defaults, terminal))
    .addCommand(policySuggestCommand(defaults, terminal))
    .addCommand(policyLockCommand(defaults, terminal))
    .addCommand(policySchemaCommand(defaults, terminal));
}
