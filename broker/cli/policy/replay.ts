/**
 * `lanyard policy replay`: decides what was recorded once more, under a draft of the documents, and tells every call
 * that would have gone otherwise.
 */
import { Command } from "commander";
import { describeRefusal } from "../../../policies/binding/binding.ts";
import type { Policies } from "../../../policies/policies.ts";
import type { RecordedSession } from "../../../policies/authoring/recorded-session.ts";
import {
  type Change,
  type ReplayedCall,
  type ReplayedSession,
  replaySession,
} from "../../../policies/authoring/replay.ts";
import type { PolicyDefaults } from "../defaults.ts";
import { showControls } from "../problem-report.ts";
import type { ExitCode, Terminal } from "../terminal.ts";
import { answer, count, NoAnswer, openDirectory } from "./answer.ts";
import { describeLogs, describeNothing, readRecordedLogs } from "./recorded-logs.ts";

interface Options {
  policies: string;
  keys?: string;
  robot?: string;
  json?: true;
}

export function policyReplayCommand(defaults: PolicyDefaults, terminal: Terminal): Command {
  return new Command("replay")
    .description(
      "decide recorded calls under a draft of the documents: what would be denied, and what allowed",
    )
    .argument("<path...>", "audit logs as they lie in a bucket: a session's folder, or any folder above")
    .option("--policies <directory>", "the draft", defaults.policies)
    .option("--robot <robot>", "only sessions of this robot: acme/payments/triager")
    .option("--keys <file|url>", "the broker's checkpoint keys: use only logs whose signatures verify")
    .option("--json", "print one JSON object")
    .addHelpText(
      "after",
      "\nExit code: 0 when every call would be decided as it was, 1 when one would not, 2 when nothing could be replayed." +
        "\nA call whose condition looks at arguments that are not in the log is counted as undecidable.",
    )
    .action((paths: string[], options: Options) =>
      answer({ terminal, json: options.json ?? false }, () => replayLogs(paths, options, terminal)),
    );
}

async function replayLogs(paths: readonly string[], options: Options, terminal: Terminal): Promise<ExitCode> {
  const { keys, robot, json } = options;
  const { policies } = await openDirectory(options.policies);
  const logs = await readRecordedLogs({
    paths,
    keys,
    robot,
    onProgress: (text) => terminal.writeError(`${text}\n`),
  });
  if (logs.sessions.length === 0) {
    throw new NoAnswer(describeNothing(logs, { what: "to replay", robot }));
  }
  const replayed = await replayAll(policies, logs.sessions);
  const counts = countChanges(replayed);
  const ok = counts.would_deny === 0 && counts.would_allow === 0;
  if (json) {
    const { leftOut: left_out, verified } = logs;
    terminal.write(
      `${JSON.stringify({ ok, verified, ...counts, left_out, sessions: replayed.map(summarize) })}\n`,
    );
  } else {
    terminal.write(replayed.map(describeSession).join(""));
    terminal.write(describeCounts(counts, replayed.length));
    terminal.writeError(describeLogs(logs));
  }
  return ok ? 0 : 1;
}

async function replayAll(
  policies: Policies,
  sessions: readonly RecordedSession[],
): Promise<ReplayedSession[]> {
  const replayed: ReplayedSession[] = [];
  for (const session of sessions) {
    replayed.push(await replaySession(policies, session));
  }
  return replayed;
}

type Counts = Record<Change | "calls", number>;

function countChanges(replayed: readonly ReplayedSession[]): Counts {
  const counts: Counts = { calls: 0, same: 0, would_deny: 0, would_allow: 0, undecidable: 0 };
  for (const { change } of replayed.flatMap(({ calls }) => calls)) {
    counts.calls += 1;
    counts[change] += 1;
  }
  return counts;
}

/** Equal changes of one session are one line, with their number. */
function describeSession({ recorded, refusal, calls }: ReplayedSession): string {
  const changed = Map.groupBy(
    calls.filter(({ change }) => change !== "same"),
    (call) => describeChange(call),
  );
  if (changed.size === 0 && refusal === undefined) {
    return "";
  }
  const lines = [...changed].map(
    ([text, group]) => `  ${text}${group.length > 1 ? ` (${group.length} times)` : ""}`,
  );
  const why = refusal === undefined ? [] : [`  would get no session: ${describeRefusal(refusal)}`];
  const title = `${recorded.robot}, ${recorded.run} (${recorded.session})`;
  return `${[title, ...why, ...lines].map(showControls).join("\n")}\n\n`;
}

function describeChange({ call, change, verdict }: ReplayedCall): string {
  const name = `${call.kind} ${call.name} of ${call.server}`;
  switch (change) {
    case "would_deny":
      return `would deny   ${name}: ${describeVerdict(verdict)}`;
    case "would_allow":
      return `would allow  ${name}: ${describeVerdict(verdict)} (it was denied: ${call.reason})`;
    case "undecidable":
      return `undecidable  ${name}: its arguments are not in the log`;
    case "same":
      return `same         ${name}`;
  }
}

function describeVerdict(verdict: ReplayedCall["verdict"]): string {
  if (verdict === undefined) {
    return "no session";
  }
  const rule = "rule" in verdict ? ` by ${verdict.rule}` : "";
  const condition = "condition" in verdict ? ` (${verdict.condition})` : "";
  return `${verdict.reason.replaceAll("_", " ")}${rule}${condition}`;
}

function describeCounts({ calls, would_deny, would_allow, undecidable }: Counts, sessions: number): string {
  const of = `of ${count(calls, "call")} in ${count(sessions, "session")}`;
  const open = undecidable === 0 ? "" : `, ${undecidable} cannot be told`;
  return `would deny ${would_deny} and allow ${would_allow} more ${of}${open}\n`;
}

function summarize({ recorded, refusal, roles, calls }: ReplayedSession): unknown {
  const { session, run, robot } = recorded;
  return {
    session,
    run,
    robot,
    roles,
    refused: refusal === undefined ? null : { code: refusal.code, ...refusal.detail },
    changes: calls.flatMap(({ call, change, verdict }) =>
      change === "same"
        ? []
        : [
            {
              change,
              server: call.server,
              kind: call.kind,
              name: call.name,
              agent: call.agent,
              was: { decision: call.wasAllowed ? "allow" : "deny", reason: call.reason },
              would: verdict ?? null,
            },
          ],
    ),
  };
}
