/**
 * `lanyard policy lock`: asks every server of the registry for its tools and compares them with `lanyard.lock`.
 * It shows what a reviewer decides on, and writes only when it is told to. Of a server that does not answer, what was
 * reviewed stays.
 */
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { z } from "zod";
import { LOCK_FILE, readPolicyFiles } from "../../../policies/documents/directory.ts";
import type { Problem } from "../../../policies/documents/problem.ts";
import { assemblePolicies } from "../../../policies/loading.ts";
import { compareLocks } from "../../../policies/lock/changes.ts";
import { renderLockChanges } from "../../../policies/lock/changes-text.ts";
import { type Lock, readLock } from "../../../policies/lock/lock.ts";
import {
  type LockedAll,
  lockServers,
  renderLock,
  type SentServer,
} from "../../../policies/lock/lock-text.ts";
import type { Policies } from "../../../policies/policies.ts";
import type { PolicyDefaults } from "../defaults.ts";
import { reportProblem, showControls } from "../problem-report.ts";
import type { ExitCode, Terminal } from "../terminal.ts";
import { answer, count, NoAnswer } from "./answer.ts";
import { askServer } from "./server-definitions.ts";

interface Options {
  policies: string;
  server?: string[];
  headers?: string;
  timeout: number;
  write?: true;
  json?: true;
}

const DEFAULT_TIMEOUT_SECONDS = 60;

export function policyLockCommand(defaults: PolicyDefaults, terminal: Terminal): Command {
  return new Command("lock")
    .description("compare the servers' tools with lanyard.lock, the definitions that were reviewed")
    .argument("[directory]", "the policy directory", defaults.policies)
    .option("--server <name...>", "ask only these servers; what is locked of the others stays")
    .option("--headers <file>", 'a JSON file of request headers: {"github": {"Authorization": "Bearer …"}}')
    .option("--timeout <seconds>", "how long each server may take", parseSeconds, DEFAULT_TIMEOUT_SECONDS)
    .option("--write", `write ${LOCK_FILE}; without it nothing is written`)
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      `\nWith a ${LOCK_FILE}, a tool that is not in it or whose definition differs does not exist for agents.` +
        "\nStdio servers are started here, as the proxy would start them; headers are sent only to the server they are for." +
        "\n\nExit code: 0 when nothing differs, or when it was written; 1 when something differs; 2 when a server gave no answer.",
    )
    .action((directory: string, options: Options) =>
      answer({ terminal, json: options.json ?? false }, () => lock(directory, options, terminal)),
    );
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (!Number.isFinite(seconds) || seconds <= 0 || seconds > 3600) {
    throw new InvalidArgumentError("expected seconds, up to 3600");
  }
  return seconds;
}

async function lock(directory: string, options: Options, terminal: Terminal): Promise<ExitCode> {
  const { policies, before } = await openForLocking(directory, terminal);
  const { sent, silent } = await askAll(policies, options, terminal);
  const { lock: asked, refused } = lockServers(sent);
  // What was not asked, or gave no answer, is as it was; what left the registry is gone.
  const kept = [...(before?.servers ?? [])].filter(([name]) => policies.servers.has(name));
  const after: Lock = { servers: new Map([...kept, ...asked.servers]) };
  const changes = compareLocks(before, after);
  const differs = changes.length > 0 || before === undefined;
  // The first lock hides every server that is not in it: it is written with all of them.
  const missing = before === undefined ? listMissing(policies, after) : [];
  const written = options.write === true && differs && missing.length === 0;
  if (written) {
    await writeLock(directory, renderReadable(directory, after));
  }
  if (options.json) {
    const left = { refused, silent: Object.fromEntries(silent) };
    terminal.write(`${JSON.stringify({ ok: !differs || written, written, changes, ...left })}\n`);
  } else {
    terminal.write(renderLockChanges(changes));
    terminal.writeError(describeLeft(refused, silent));
    terminal.write(`${describeOutcome({ written, differs, servers: after.servers.size, missing })}\n`);
  }
  return silent.size > 0 ? 2 : differs && !written ? 1 : 0;
}

function listMissing({ servers }: Policies, { servers: locked }: Lock): string[] {
  return [...servers.keys()].filter((name) => !locked.has(name));
}

interface OpenedForLocking {
  readonly policies: Policies;
  /** Undefined where there is none, or none that can be read: then everything is new. */
  readonly before: Lock | undefined;
}

/** The other documents must load. A lock that does not is told, and compared with nothing. */
async function openForLocking(directory: string, terminal: Terminal): Promise<OpenedForLocking> {
  const read = await readPolicyFiles(directory);
  const files = read.ok ? read.files : [];
  const others = files.filter(({ path }) => path !== LOCK_FILE);
  const isOther = ({ file }: Problem): boolean => file !== LOCK_FILE;
  const loaded = read.ok ? assemblePolicies(others, read.problems.filter(isOther)) : read;
  if (!loaded.ok) {
    const { problems } = loaded;
    throw new NoAnswer(`${directory}: the policies do not load`, { directory, files, problems });
  }
  const file = files.find(({ path }) => path === LOCK_FILE);
  const lock = file === undefined ? undefined : readLock(file);
  for (const problem of lock?.ok === false ? lock.problems : []) {
    terminal.writeError(reportProblem(problem, { directory, files }, "warning"));
  }
  return { policies: loaded.policies, before: lock?.ok === true ? lock.document.value : undefined };
}

interface Asked {
  readonly sent: ReadonlyMap<string, SentServer>;
  /** Servers that gave no answer, and why. */
  readonly silent: ReadonlyMap<string, string>;
}

async function askAll(policies: Policies, options: Options, terminal: Terminal): Promise<Asked> {
  const headers = await readHeaders(options.headers);
  const names = options.server ?? [...policies.servers.keys()];
  const sent = new Map<string, SentServer>();
  const silent = new Map<string, string>();
  for (const name of names) {
    const entry = policies.servers.get(name);
    if (entry === undefined) {
      throw new NoAnswer(`servers.yaml has no server "${name}"`);
    }
    terminal.writeError(`asking ${name} …\n`);
    const timeoutMs = options.timeout * 1000;
    const definitions = await askServer({ entry, headers: headers.get(name) ?? {}, timeoutMs });
    if (definitions.ok) {
      sent.set(name, definitions.sent);
    } else {
      silent.set(name, definitions.reason);
    }
  }
  return { sent, silent };
}

/** What `fetch` would refuse it repeats in its message. */
const HeaderName = z.string().regex(/^[\w!#$%&'*+.^`|~-]+$/);
const HeaderValue = z.string().regex(/^[\t\u0020-\u007e\u0080-\u00ff]*$/);
const Headers = z.record(z.string(), z.record(HeaderName, HeaderValue));

/** They hold secrets: they come from a file, and nothing of them is repeated. */
async function readHeaders(path: string | undefined): Promise<ReadonlyMap<string, Record<string, string>>> {
  if (path === undefined) {
    return new Map();
  }
  const read = await readFile(path, "utf8")
    .then((text): unknown => JSON.parse(text))
    .catch(() => undefined);
  const headers = Headers.safeParse(read);
  if (!headers.success) {
    throw new NoAnswer(
      `${path} is not what --headers wants: {"SERVER": {"NAME": "VALUE"}}, each value one line without its line end`,
    );
  }
  return new Map(Object.entries(headers.data));
}

/** A lock that does not load would take every policy with it: servers can send more than one may hold. */
function renderReadable(directory: string, lock: Lock): string {
  const file = { path: LOCK_FILE, text: renderLock(lock) };
  const read = readLock(file);
  if (!read.ok) {
    const { problems } = read;
    throw new NoAnswer(`${LOCK_FILE} is not written: it would not load`, {
      directory,
      files: [file],
      problems,
    });
  }
  return file.text;
}

/** A reader sees the old lock or the new one, never a half. */
async function writeLock(directory: string, text: string): Promise<void> {
  const path = join(directory, LOCK_FILE);
  const draft = `${path}.${process.pid}.draft`;
  try {
    await writeFile(draft, text);
    await rename(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
}

function describeLeft(refused: LockedAll["refused"], silent: ReadonlyMap<string, string>): string {
  return [
    ...refused.map(({ server, tool, reason }) => `${server}: ${tool} cannot be locked: ${reason}`),
    ...[...silent].map(
      ([server, reason]) => `${server} gave no answer, what is locked of it stays: ${reason}`,
    ),
  ]
    .map((line) => `${showControls(line)}\n`)
    .join("");
}

interface Outcome {
  readonly written: boolean;
  readonly differs: boolean;
  readonly servers: number;
  /** Servers that keep the first lock from being written. */
  readonly missing: readonly string[];
}

function describeOutcome({ written, differs, servers, missing }: Outcome): string {
  if (written) {
    return `${LOCK_FILE} is written: ${count(servers, "server")}. Commit it once the changes above are reviewed.`;
  }
  if (missing.length > 0) {
    return `${LOCK_FILE} cannot be written: with it, ${missing.join(", ")} would have no tools at all. The first time, every server must answer.`;
  }
  return differs
    ? `${LOCK_FILE} is not up to date: review the changes above, then write it with --write.`
    : `${LOCK_FILE} is up to date.`;
}
