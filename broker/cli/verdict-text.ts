/**
 * Verdicts of `lanyard audit verify` as a person reads them in a terminal, and as scripts read them.
 * Nothing that stands in a log reaches the terminal as a control sequence or out of sight.
 */
import type { StreamName } from "../../audit/manifest.ts";
import type { PresentedCredential } from "../../audit/verification/presented-credentials.ts";
import type { Verdict, VerdictStatus } from "../../audit/verification/verdict.ts";
import { revealText } from "../pages/markup/visible-text.ts";

/** `unreadable`: the folder or the disk failed, so nothing is known. */
export type Status = VerdictStatus | "unreadable";

const STATUS_WIDTH = "unreadable".length + 2;

const MAX_CREDENTIALS_SHOWN = 20;
const WHO: Record<StreamName, string> = {
  runner: "the runner",
  relay: "the relay",
  recovered: "the runner, witnessed by nobody",
};

/**
 * One line for the session; below it, where there are any, its place and its problems and findings, and what its calls
 * were sent with.
 */
export function formatVerdict(path: string, verdict: Verdict): string {
  const { workload, totals, problems, manifest } = verdict;
  const run =
    workload === undefined ? "run unknown" : `run ${workload.run_id} attempt ${workload.run_attempt}`;
  const recovered = verdict.recoveredCount === 0 ? "" : ` + ${verdict.recoveredCount} recovered`;
  const relayed = verdict.relayCount === 0 ? "" : ` + ${verdict.relayCount} of the relay`;
  const witnessed =
    verdict.witnessedSeq === undefined ? "nothing witnessed" : `witnessed to ${verdict.witnessedSeq}`;
  const line = [
    verdict.robot ?? "robot unknown",
    run,
    `${verdict.recordCount} records${recovered}${relayed}`,
    `calls ${totals.allowed} allowed ${totals.denied} denied`,
    witnessed,
  ].join("  ");
  const details = [
    ...problems.map(
      ({ part, code, message, breaks }) => `${breaks ? "✗" : "!"} ${part}: ${message} [${code}]`,
    ),
    ...(manifest?.findings ?? []).map(({ kind, time, detail }) => `! ${time} ${detail} [${kind}]`),
  ];
  const place = details.length === 0 ? [] : [`in ${path}`];
  return formatLines(verdict.status, line, [...place, ...details, ...listCredentials(verdict)]);
}

function listCredentials({ credentials, credentialsLeftOut }: Verdict): string[] {
  const more = credentials.length - MAX_CREDENTIALS_SHOWN;
  return [
    ...credentials.slice(0, MAX_CREDENTIALS_SHOWN).map(formatCredential),
    ...(more > 0 ? [`  and ${more} more credentials: --json lists them`] : []),
    ...(credentialsLeftOut > 0 ? [`  and others, which ${credentialsLeftOut} records name`] : []),
  ];
}

/** `credential notes 3f…, by the relay to notes: 3 calls from … to …, expires …` */
function formatCredential(presented: PresentedCredential): string {
  const { id, digest, stream, servers, firstAt, lastAt, expiresAt, calls, callsAfterEnd } = presented;
  const count = calls === 1 ? "1 call" : `${calls} calls`;
  const time = firstAt === lastAt ? `at ${firstAt}` : `from ${firstAt} to ${lastAt}`;
  const end = expiresAt === undefined ? "no end known" : `expires ${expiresAt}`;
  const late = callsAfterEnd === 0 ? "" : `, ${callsAfterEnd} of the calls after that`;
  return `credential ${id} ${digest}, by ${WHO[stream]} to ${servers.join(", ")}: ${count} ${time}, ${end}${late}`;
}

export function formatUnreadable(path: string, error: Error): string {
  return formatLines("unreadable", path, [`✗ ${error.message}`]);
}

function formatLines(status: Status, line: string, details: readonly string[]): string {
  const indented = details.map((detail) => `  ${revealText(detail)}\n`);
  return `${status.padEnd(STATUS_WIDTH)}${revealText(line)}\n${indented.join("")}`;
}

/** `3 sessions: 2 complete, 1 broken` */
export function formatCounts(counts: ReadonlyMap<Status, number>): string {
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const each = [...counts].map(([status, count]) => `${count} ${status}`);
  return `${total} session${total === 1 ? "" : "s"}: ${each.join(", ")}\n`;
}

/** What a script gets of one session. */
export function summarizeVerdict(path: string, verdict: Verdict): object {
  return {
    path,
    status: verdict.status,
    session: verdict.session ?? null,
    robot: verdict.robot ?? null,
    workload: verdict.workload ?? null,
    records: verdict.recordCount,
    recovered_records: verdict.recoveredCount,
    relay_records: verdict.relayCount,
    totals: verdict.totals,
    credentials: verdict.credentials.map((presented) => ({
      id: presented.id,
      digest: presented.digest,
      expires_at: presented.expiresAt ?? null,
      stream: presented.stream,
      servers: presented.servers,
      first_at: presented.firstAt,
      last_at: presented.lastAt,
      calls: presented.calls,
      calls_after_end: presented.callsAfterEnd,
    })),
    records_of_other_credentials: verdict.credentialsLeftOut,
    checkpoints: verdict.checkpoints,
    witnessed_seq: verdict.witnessedSeq ?? null,
    head: verdict.head ?? null,
    keys: verdict.keys,
    findings: verdict.manifest?.findings ?? [],
    problems: verdict.problems,
  };
}
