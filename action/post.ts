/**
 * The entry of the step's end: seals the log, says what became of it, and leaves nothing behind.
 * It always comes to its end, whatever state main, the proxy or the broker are in.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type Conclusion, concludeJob } from "./conclusion/conclusion.ts";
import { createFileCommands } from "./runner/file-commands.ts";
import { PROXY_OUTPUT_FILE, SPOOL_FILE, STDERR_DIRECTORY } from "./handover.ts";
import { createHttp } from "./wire/http-request.ts";
import { environment, readFileCommandPaths, readPostInputs, selectHttpProxies } from "./inputs.ts";
import { releaseJob } from "./runner/job-marker.ts";
import { renderBareSummary, renderSummary } from "./conclusion/job-summary.ts";
import { readEndOfFile, removeExcept, removePrivateDirectory } from "./runner/private-files.ts";
import { decideVerdict } from "./conclusion/verdict.ts";
import { createWorkflowCommands } from "./runner/workflow-commands.ts";

/** Of each file, and of all together. */
const MAX_SHOWN_BYTES = 1024 * 1024;
const MAX_SHOWN_TOTAL_BYTES = 16 * MAX_SHOWN_BYTES;

const commands = createWorkflowCommands((text) => process.stdout.write(text));
const files = createFileCommands(readFileCommandPaths(environment));
const inputs = readPostInputs(environment);

// Until it is known better: a post that stops halfway has not shown that the log is complete.
process.exitCode = inputs.failOn === "never" ? 0 : 1;
void post();

async function post(): Promise<void> {
  const { directory, marker } = inputs.state;
  let keepSpool = true;
  try {
    const conclusion = await concludeJob(inputs, createHttp(selectHttpProxies(environment)));
    if (directory !== undefined) showOutputs(directory);
    keepSpool = conclusion?.outcome.status === "lost";
    process.exitCode = conclusion === undefined || !announce(conclusion) ? 0 : 1;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : "unknown";
    const where = directory === undefined ? "" : ` What was recorded lies on this runner in ${directory}.`;
    const tell = inputs.failOn === "never" ? commands.warning : commands.error;
    tell(`Lanyard could not finish, and the log of this job may be incomplete: ${reason}.${where}`);
  } finally {
    cleanUp({ directory, marker, keepSpool });
  }
}

/** Whether the job fails by it. */
function announce({ outcome, report }: Conclusion): boolean {
  const verdict = decideVerdict({
    outcome,
    denied: report?.tally.totals.denied ?? 0,
    failOn: inputs.failOn,
    reviewUrl: report?.reviewUrl ?? inputs.state.reviewUrl,
  });
  for (const { level, text } of verdict.messages) {
    if (level === "good") commands.say(text);
    else commands[level](text);
  }
  files.appendSummary(report === undefined ? renderBareSummary(outcome) : renderSummary({ report, outcome }));
  return verdict.failsJob;
}

/** What the servers and the proxy said: text of others, in which no line is a command. */
function showOutputs(directory: string): void {
  const stderr = join(directory, STDERR_DIRECTORY);
  const outputs = [
    { title: "Output of Lanyard's proxy", path: join(directory, PROXY_OUTPUT_FILE) },
    ...listFiles(stderr).map((name) => ({
      title: `stderr of ${name.replace(/\.log$/, "")}`,
      path: join(stderr, name),
    })),
  ];
  let shownBytes = 0;
  for (const { title, path } of outputs) {
    const text = shownBytes < MAX_SHOWN_TOTAL_BYTES ? readEndOfFile(path, MAX_SHOWN_BYTES) : undefined;
    if (text) commands.showForeignText(title, text);
    shownBytes += text?.length ?? 0;
  }
}

function listFiles(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch {
    // No server was started, or somebody removed it.
    return [];
  }
}

interface Traces {
  readonly directory: string | undefined;
  readonly marker: string | undefined;
  /** What could not be stored elsewhere is all there is of the log. */
  readonly keepSpool: boolean;
}

function cleanUp({ directory, marker, keepSpool }: Traces): void {
  try {
    if (directory !== undefined && keepSpool) removeExcept(directory, SPOOL_FILE);
    if (directory !== undefined && !keepSpool) removePrivateDirectory(directory);
    if (marker !== undefined) releaseJob(marker);
  } catch (cause) {
    commands.warning(
      `Lanyard could not remove its files: ${cause instanceof Error ? cause.message : "unknown"}.`,
    );
  }
}
