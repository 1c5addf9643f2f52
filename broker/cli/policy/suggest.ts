/**
 * `lanyard policy suggest`: the least role that would have allowed what a robot did while it was observed, to look at
 * or to write into the documents with the tests that it should pass. Nothing is overwritten, and what is written loads.
 */
import { lstat, mkdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { adoptSuggestion, writeRole } from "../../../policies/authoring/adoption.ts";
import type { RecordedSession } from "../../../policies/authoring/recorded-session.ts";
import { replaySession } from "../../../policies/authoring/replay.ts";
import { hasExactName, type Suggestion, suggestGrants } from "../../../policies/authoring/suggestion.ts";
import type { PolicyFile } from "../../../policies/documents/document.ts";
import { assemblePolicies } from "../../../policies/loading.ts";
import type { PolicyDefaults } from "../defaults.ts";
import { showControls } from "../problem-report.ts";
import type { ExitCode, Terminal } from "../terminal.ts";
import { answer, NoAnswer, openDirectory } from "./answer.ts";
import { describeLogs, describeNothing, readRecordedLogs, type RecordedLogs } from "./recorded-logs.ts";

interface Options {
  policies: string;
  robot?: string;
  role?: string;
  minCalls: number;
  includeRefused?: true;
  all?: boolean;
  keepObserving?: true;
  write?: true;
  keys?: string;
  json?: true;
}

const DEFAULT_MIN_CALLS = 3;

export function policySuggestCommand(defaults: PolicyDefaults, terminal: Terminal): Command {
  return new Command("suggest")
    .description("suggest the least role that allows what a robot did while its binding said mode: observe")
    .argument("<path...>", "audit logs as they lie in a bucket: a session's folder, or any folder above")
    .option("--robot <robot>", "the robot: acme/payments/triager; needed where the logs are of several")
    .option("--role <name>", "the name of the role (default: the robot's own name)")
    .option(
      "--min-calls <number>",
      "from so many calls on, an argument that was always the same becomes a condition",
      parseCount,
      DEFAULT_MIN_CALLS,
    )
    .option("--include-refused", "grant what was refused, too: only after you have looked at it")
    .option("--all", "take sessions that were not observed as well")
    .option("--policies <directory>", "the policy directory", defaults.policies)
    .option("--write", "write the role, its tests and the binding into the policy directory")
    .option("--keep-observing", "with --write: the binding goes on to observe")
    .option("--keys <file|url>", "the broker's checkpoint keys: use only logs whose signatures verify")
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      "\nWhat an agent asked for and was refused is listed, not granted. Look at the role before you commit it:" +
        "\nan agent that was talked into reading something has read it in these logs, too." +
        "\n\nExit code: 0 when a role was suggested, 1 when there was nothing to suggest, 2 when it could not be done.",
    )
    .action((paths: string[], options: Options) =>
      answer({ terminal, json: options.json ?? false }, () => suggest(paths, options, terminal)),
    );
}

function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) {
    throw new InvalidArgumentError("expected a whole number from 1 on");
  }
  return count;
}

async function suggest(paths: readonly string[], options: Options, terminal: Terminal): Promise<ExitCode> {
  const logs = await readRecordedLogs({
    paths,
    keys: options.keys,
    robot: options.robot,
    onProgress: (text) => terminal.writeError(`${text}\n`),
  });
  const { robot, sessions } = chooseSessions(logs, options);
  const suggestion = suggestGrants(sessions, {
    minCalls: options.minCalls,
    includeRefused: options.includeRefused ?? false,
  });
  const { role = robot.slice(robot.lastIndexOf("/") + 1), json = false, write = false } = options;
  const suggested = { robot, role, suggestion, sessions };
  const isEmpty = suggestion.grants.length === 0;
  const written = write && !isEmpty ? await adopt(suggested, options) : [];
  if (json) {
    const { leftOut: left_out, verified } = logs;
    terminal.write(
      `${JSON.stringify({ ok: !isEmpty, robot, role, ...suggestion, written, verified, left_out })}\n`,
    );
  } else {
    const text = isEmpty
      ? "Nothing was let through in these sessions, so there is nothing to grant."
      : `roles:\n${writeRole({ robot, role, suggestion, sessions: sessions.length }).trimEnd()}`;
    terminal.write(
      text
        .split("\n")
        .map((line) => `${showControls(line)}\n`)
        .join(""),
    );
    terminal.writeError(describeLogs(logs));
    terminal.writeError(written.map((path) => `written: ${join(options.policies, path)}\n`).join(""));
  }
  return isEmpty ? 1 : 0;
}

function chooseSessions(
  logs: RecordedLogs,
  { all = false, robot: wanted }: Pick<Options, "all" | "robot">,
): { robot: string; sessions: readonly RecordedSession[] } {
  const sessions = logs.sessions.filter(({ mode }) => all || mode === "observe");
  const [robot, ...others] = new Set(sessions.map((session) => session.robot));
  if (robot === undefined) {
    const message =
      logs.sessions.length === 0
        ? describeNothing(logs, { what: "to learn from", robot: wanted })
        : "none of these sessions was observed: give --all to take the others as well";
    throw new NoAnswer(message);
  }
  if (others.length > 0) {
    throw new NoAnswer(
      `these logs are of several robots: say which with --robot (${[robot, ...others].join(", ")})`,
    );
  }
  return { robot, sessions };
}

interface Suggested {
  readonly robot: string;
  readonly role: string;
  readonly suggestion: Suggestion;
  readonly sessions: readonly RecordedSession[];
}

/** What is written loads, and allows what was done; else nothing is written. */
async function adopt(suggested: Suggested, options: Options): Promise<string[]> {
  const { policies: directory, keepObserving = false } = options;
  const { files } = await openDirectory(directory);
  const adoption = adoptSuggestion({
    ...suggested,
    sessions: suggested.sessions.length,
    files: [...files, ...(await findTests(directory, suggested.role))],
    keepObserving,
  });
  if (!adoption.ok) {
    throw new NoAnswer(adoption.message);
  }
  const changed = new Set(adoption.files.map(({ path }) => path));
  const all = [...files.filter(({ path }) => !changed.has(path)), ...adoption.files];
  const loaded = assemblePolicies(all);
  if (!loaded.ok) {
    const { problems } = loaded;
    throw new NoAnswer("The suggestion does not fit into the documents.", {
      directory,
      files: all,
      problems,
    });
  }
  for (const session of suggested.sessions) {
    const { calls } = await replaySession(loaded.policies, session);
    const missed = calls.find(({ change, call }) => change === "would_deny" && hasExactName(call));
    if (missed !== undefined) {
      const { call, verdict } = missed;
      const why =
        verdict === undefined ? "its run would get no session" : verdict.reason.replaceAll("_", " ");
      throw new NoAnswer(
        `nothing is written: with it, ${call.kind} ${call.name} of session ${session.session} would be denied (${why})`,
      );
    }
  }
  for (const file of adoption.files) {
    await replaceFile(directory, file);
  }
  return [...changed];
}

/** What is there already is no file of a policy directory as it is loaded, and must not be overwritten all the same. */
async function findTests(directory: string, role: string): Promise<PolicyFile[]> {
  const path = `tests/${role}.yaml`;
  const found = await lstat(join(directory, path)).catch(() => undefined);
  return found === undefined ? [] : [{ path, text: "" }];
}

/** Whoever watches the directory sees the old text or the new one, never a half. */
async function replaceFile(directory: string, { path, text }: PolicyFile): Promise<void> {
  const target = join(directory, path);
  const draft = join(dirname(target), `.${basename(target)}.${process.pid}.draft`);
  await mkdir(dirname(target), { recursive: true });
  try {
    await writeFile(draft, text);
    await rename(draft, target);
  } finally {
    await rm(draft, { force: true });
  }
}
