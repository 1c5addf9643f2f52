/**
 * `lanyard session`: what jobs hold now or have held, and its end by an operator's hand. Works on the database directly,
 * also while brokers run: what it changes counts from the next request on.
 */
import { Command, InvalidArgumentError, Option } from "commander";
import { revokeSession } from "../../sessions/revocation.ts";
import { listOfSession } from "../../storage/credentials/minted-credentials.ts";
import { listFindings } from "../../storage/sessions/findings.ts";
import { readPolicy } from "../../storage/sessions/policies.ts";
import { listPolicyChanges } from "../../storage/sessions/policy-changes.ts";
import type { Queries, SessionRow, SessionState } from "../../storage/schema.ts";
import { listSegments } from "../../storage/sessions/segments.ts";
import { listSessions } from "../../storage/sessions/session-list.ts";
import { findSession } from "../../storage/sessions/sessions.ts";
import { nameUser, parseUserName } from "../acting-user.ts";
import { withDatabase } from "../database.ts";
import { describeListed, describeWhole, renderSheet, renderTable, stateOf } from "./session-text.ts";
import { type ExitCode, type Terminal, openTerminal } from "../terminal.ts";

const DEFAULT_LIMIT = 50;
const MAX_LIMIT = 1000;
const STATES: readonly SessionState[] = ["active", "expired", "sealed", "recovered", "revoked"];

interface Options {
  readonly json?: true;
}

interface ListOptions extends Options {
  readonly state?: SessionState;
  readonly robot?: string;
  readonly run?: string;
  readonly limit: number;
}

interface Context {
  readonly database: Queries;
  readonly terminal: Terminal;
}

export function sessionCommand(terminal: Terminal = openTerminal()): Command {
  const command = new Command("session").description("list, show and revoke the sessions of jobs");
  command
    .command("list")
    .description("list sessions, newest first")
    .addOption(new Option("--state <state>", "only those in this state").choices(STATES))
    .option(
      "--robot <owner/repo/name>",
      "only those of this robot, or with owner/repo of a repository",
      parseRobot,
    )
    .option("--run <id>", "only those of this workflow run")
    .option("--limit <number>", `at most so many, up to ${MAX_LIMIT}`, parseLimit, DEFAULT_LIMIT)
    .option("--json", "print one JSON object")
    .action(async (options: ListOptions) => {
      await withDatabase(terminal, async (database) => list(options, { database, terminal }));
    });
  command
    .command("show")
    .description("show one session: its job, its robot, its key, what was noticed about it")
    .argument("<session>", "its id, as in the list")
    .option("--json", "print one JSON object, with all verified claims")
    .action(async (id: string, options: Options) => {
      await withDatabase(terminal, async (database) => show({ id, ...options }, { database, terminal }));
    });
  command
    .command("revoke")
    .description("end one session for good")
    .argument("<session>", "its id, as in the list")
    .option(
      "--by <name>",
      "who revokes it, for the record; by default the user of this machine",
      parseUserName,
      nameUser(),
    )
    .option("--json", "print one JSON object")
    .action(async (id: string, options: Options & { readonly by: string }) => {
      await withDatabase(terminal, async (database) => revoke({ id, ...options }, { database, terminal }));
    });
  return command;
}

async function list(options: ListOptions, { database, terminal }: Context): Promise<ExitCode> {
  const { state, robot, run: runId, limit, json } = options;
  const now = Date.now();
  // One more than asked for, to say that there are more.
  const rows = await listSessions(database, { state, robot, runId, limit: limit + 1, now });
  const sessions = rows.slice(0, limit).map((row) => describeListed(row, now));
  const more = rows.length > limit;
  if (json) {
    writeJson({ ok: true, sessions, more }, terminal);
  } else if (sessions.length === 0) {
    terminal.write("There are no such sessions.\n");
  } else {
    terminal.write(renderTable(sessions));
    if (more) terminal.write(`There are more than ${limit}: --limit shows them.\n`);
  }
  return 0;
}

async function show(
  { id, json }: Options & { id: string },
  { database, terminal }: Context,
): Promise<ExitCode> {
  const row = await findSession(database, id);
  if (row === undefined) return refuseUnknown({ id, json }, terminal);
  const bound = await database
    .selectFrom("workloads")
    .selectAll()
    .where("id", "=", row.workload)
    .executeTakeFirstOrThrow();
  const segments = (await listSegments(database, id)).length;
  const findings = await listFindings(database, { run: row.run, workload: row.workload, session: id });
  const policy = await readPolicy(database, row.policy);
  const changes = await listPolicyChanges(database, id);
  const minted = await listOfSession(database, id);
  const session = describeWhole({ row, bound, segments, findings, policy, changes, minted }, Date.now());
  if (json) writeJson({ ok: true, session }, terminal);
  else terminal.write(renderSheet(session));
  return 0;
}

async function revoke(
  { id, by, json }: Options & { id: string; by: string },
  { database, terminal }: Context,
): Promise<ExitCode> {
  const now = Date.now();
  const revoked = await revokeSession(database, id, { at: now, by });
  const row = await findSession(database, id);
  if (row === undefined) return refuseUnknown({ id, json }, terminal);
  const ok = row.state === "revoked";
  const message = revoked
    ? `${id} of ${row.robot} is revoked. The broker refuses every token of it from now on, renews nothing, and gives ` +
      "its job no other session of this robot. Its proxy refuses all calls as soon as it next reports to the broker; " +
      "a call that is under way is not called back. The log ends without a seal: the run is shown as incomplete."
    : ok
      ? `${id} was revoked before${describeRevoker(row)}.`
      : `${id} is ${stateOf(row, now)}: it grants nothing any more, and nothing was changed.`;
  if (json) {
    writeJson({ ok, session: id, state: row.state, revoked_by: row.revoked_by ?? null, message }, terminal);
  } else if (ok) terminal.write(`${message}\n`);
  else terminal.writeError(`${message}\n`);
  return ok ? 0 : 1;
}

function describeRevoker({ revoked_by, revocation_cause }: SessionRow): string {
  if ((revocation_cause ?? null) !== null) return " by policy change";
  return (revoked_by ?? null) === null ? "" : ` by ${revoked_by}`;
}

function refuseUnknown({ id, json }: { id: string; json: true | undefined }, terminal: Terminal): ExitCode {
  const message = `There is no session ${JSON.stringify(id.slice(0, 100))}.`;
  if (json) writeJson({ ok: false, session: id, message }, terminal);
  else terminal.writeError(`${message}\n`);
  return 1;
}

function parseRobot(text: string): string {
  if (!/^[A-Za-z0-9._-]+(?:\/[A-Za-z0-9._-]+){1,2}$/.test(text)) {
    throw new InvalidArgumentError("Write owner/repo or owner/repo/name.");
  }
  return text;
}

function parseLimit(text: string): number {
  const limit = Number(text);
  if (!/^[0-9]+$/.test(text) || limit < 1 || limit > MAX_LIMIT) {
    throw new InvalidArgumentError(`Write a number from 1 to ${MAX_LIMIT}.`);
  }
  return limit;
}

function writeJson(value: unknown, terminal: Terminal): void {
  terminal.write(`${JSON.stringify(value)}\n`);
}
