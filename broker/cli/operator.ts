/**
 * `lanyard operator`: the accounts of people who read runs and run the broker. Works on the database directly, also
 * while the broker runs: what it changes counts from the next request on.
 */
import { Command } from "commander";
import { OperatorAccounts } from "../operators/accounts.ts";
import { withDatabase } from "./database.ts";
import { type ExitCode, type Terminal, openTerminal } from "./terminal.ts";

interface Options {
  readonly json?: true;
}

export function operatorCommand(terminal: Terminal = openTerminal()): Command {
  const command = new Command("operator").description("add, list and remove the people who may read runs");
  command
    .command("add")
    .description("add an operator and show the token, once")
    .argument("<name>", "letters, digits, dots, dashes, underscores and @")
    .option("--json", "print one JSON object")
    .action(async (name: string, options: Options) => {
      await withDatabase(terminal, async (database) =>
        add(new OperatorAccounts(database, Date.now), { name, ...options }, terminal),
      );
    });
  command
    .command("list")
    .description("list operators; tokens are not kept and cannot be shown")
    .option("--json", "print one JSON object")
    .action(async (options: Options) => {
      await withDatabase(terminal, async (database) =>
        list(new OperatorAccounts(database, Date.now), options, terminal),
      );
    });
  command
    .command("remove")
    .description("remove an operator; the token and every login made with it end at once")
    .argument("<name>", "as in the list")
    .option("--json", "print one JSON object")
    .action(async (name: string, options: Options) => {
      await withDatabase(terminal, async (database) =>
        remove(new OperatorAccounts(database, Date.now), { name, ...options }, terminal),
      );
    });
  return command;
}

async function add(
  accounts: OperatorAccounts,
  { name, json }: Options & { name: string },
  terminal: Terminal,
): Promise<ExitCode> {
  const added = await accounts.add(name);
  if (!added.ok) {
    if (json) writeJson({ ok: false, code: added.code, message: added.message }, terminal);
    else terminal.writeError(`${added.message}\n`);
    return added.code === "name_invalid" ? 2 : 1;
  }
  const { token } = added;
  if (json) writeJson({ ok: true, name, token }, terminal);
  else terminal.write(`${name} can log in with this token. It is not shown again:\n\n  ${token}\n`);
  return 0;
}

async function list(accounts: OperatorAccounts, { json }: Options, terminal: Terminal): Promise<ExitCode> {
  const operators = (await accounts.list()).map(({ name, createdAt, lastUsedAt }) => ({
    name,
    created_at: new Date(createdAt).toISOString(),
    last_used_at: lastUsedAt === null ? null : new Date(lastUsedAt).toISOString(),
  }));
  if (json) {
    writeJson({ ok: true, operators }, terminal);
    return 0;
  }
  if (operators.length === 0) {
    terminal.write("There are no operators. Add one with `lanyard operator add NAME`.\n");
  }
  for (const { name, created_at, last_used_at } of operators) {
    terminal.write(
      `${name}  added ${created_at}  ${last_used_at === null ? "never used" : `last used ${last_used_at}`}\n`,
    );
  }
  return 0;
}

async function remove(
  accounts: OperatorAccounts,
  { name, json }: Options & { name: string },
  terminal: Terminal,
): Promise<ExitCode> {
  const removed = await accounts.remove(name);
  const message = removed ? `${name} is removed.` : `There is no operator named ${name}.`;
  if (json) writeJson({ ok: removed, name, message }, terminal);
  else if (removed) terminal.write(`${message}\n`);
  else terminal.writeError(`${message}\n`);
  return removed ? 0 : 1;
}

function writeJson(value: unknown, terminal: Terminal): void {
  terminal.write(`${JSON.stringify(value)}\n`);
}
