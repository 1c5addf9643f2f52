/**
 * The verdict on a run in words: what happened, how far the log can be trusted, and what is wrong with it.
 * It promises nothing that was not verified.
 */
import type { Counts, FindingView, RunStatus, RunView, SessionStatus, SessionView } from "./view.ts";

const MAX_PROBLEMS = 3;

export interface VerdictSource {
  readonly sessions: readonly SessionView[];
  readonly counts: Counts;
  readonly agents: readonly string[];
  readonly findings: readonly FindingView[];
}

/** The worst counts: broken, then incomplete, then still running. */
export function decideRunStatus(statuses: readonly SessionStatus[]): RunStatus {
  if (statuses.includes("broken")) {
    return "broken";
  }
  if (statuses.includes("incomplete") || statuses.includes("recovered")) {
    return "incomplete";
  }
  return statuses.includes("running") ? "running" : "complete";
}

export function composeVerdict(source: VerdictSource): RunView["verdict"] {
  const status = decideRunStatus(source.sessions.map((session) => session.status));
  const takeovers = source.findings.filter(
    ({ kind, source: who }) => kind === "takeover_attempt" && who !== "unwitnessed",
  ).length;
  const sentences = source.sessions.flatMap((session) => describeSession(session, source.sessions.length));
  const complete = source.sessions.filter((session) => session.status === "complete").length;
  if (complete > 0) {
    sentences.unshift(describeComplete(complete, source.sessions.length));
  }
  return {
    tone: takeovers > 0 ? "alarm" : tones[status],
    headline: nameVerdict(status, takeovers > 0),
    sentences: [
      ...(takeovers > 0 ? [describeTakeovers(takeovers)] : []),
      ...(status === "broken"
        ? [...sentences, describeCalls(source)]
        : [describeCalls(source), ...sentences]),
    ],
  };
}

const tones = { broken: "alarm", incomplete: "warning", running: "busy", complete: "good" } as const;
const headlines = {
  broken: "Broken",
  incomplete: "Incomplete",
  running: "Still running",
  complete: "Complete",
} as const;

function nameVerdict(status: RunStatus, takeover: boolean): string {
  if (!takeover) {
    return headlines[status];
  }
  return status === "complete" || status === "running"
    ? "Attempted takeover"
    : `${headlines[status]}, with an attempted takeover`;
}

function describeCalls({ counts, agents, sessions }: VerdictSource): string {
  if (sessions.some((session) => session.status === "broken")) {
    const denied = counts.denied === 0 ? "none" : String(counts.denied);
    return `What can still be read holds ${count(counts.calls, "call")}, ${denied} denied. It proves nothing.`;
  }
  const running = sessions.some((session) => session.status === "running") ? " so far" : "";
  const by = agents.length === 0 ? "" : ` by ${count(agents.length, "agent")}`;
  const denied = counts.denied === 0 ? "none denied" : `${counts.denied} denied`;
  const observed = describeObserved(counts.observed, sessions);
  const failed = counts.failed === 0 ? "" : `, ${counts.failed} failed`;
  const unwitnessed = counts.unwitnessed === 0 ? "" : ` ${counts.unwitnessed} of them witnessed by nobody.`;
  return counts.calls === 0
    ? `No calls${running}.${observed}`
    : `${count(counts.calls, "call")}${running}${by}, ${denied}${failed}.${unwitnessed}${observed}`;
}

/** Said also where nothing would have been denied: that nothing was enforced is what a reader has to know. */
function describeObserved(observed: number, sessions: readonly SessionView[]): string {
  if (!sessions.some((session) => session.mode === "observe")) return "";
  const what =
    observed === 0 ? "None of what it let through" : `${count(observed, "call")} that it let through`;
  return ` The policy was only observed: ${what} would have been denied.`;
}

function describeComplete(complete: number, sessions: number): string {
  if (sessions === 1) {
    return "The log verifies up to its seal.";
  }
  return complete === sessions
    ? `All ${sessions} logs verify up to their seals.`
    : `${complete} of ${sessions} logs verify up to their seals.`;
}

function describeTakeovers(attempts: number): string {
  const times = attempts === 1 ? "" : ` It tried ${attempts} times.`;
  return `Something in the job asked for a session without the proxy's key and was refused.${times}`;
}

function describeSession(session: SessionView, sessions: number): string[] {
  const robot = sessions === 1 ? "" : `${session.robot}: `;
  switch (session.status) {
    case "complete":
      return [];
    case "broken":
      return describeProblems(session).map((sentence) => robot + sentence);
    case "running":
      return [`${robot}${describeReach(session)}`];
    case "recovered":
      return [
        `${robot}The proxy was gone before it sealed its log. ${describeReach(session)} ${describeTail(session)}`,
        ...describeGaps(session).map((sentence) => robot + sentence),
      ];
    case "incomplete":
      return [
        `${robot}${describeEnd(session)} ${describeReach(session)} What came after is not in it.`,
        ...describeGaps(session).map((sentence) => robot + sentence),
      ];
  }
}

function describeProblems({ integrity }: SessionView): string[] {
  const shown = integrity.problems.slice(0, MAX_PROBLEMS).map(({ part, message }) => `${part}: ${message}`);
  const more = integrity.problems.length + integrity.more_problems - shown.length;
  return more === 0 ? shown : [...shown, `${count(more, "more problem")}, under Integrity.`];
}

function describeReach({ integrity }: SessionView): string {
  if (integrity.records === 0) {
    return "No part of its log was stored.";
  }
  const last = integrity.records - 1;
  return integrity.last_witnessed_seq === last
    ? `The log verifies and is witnessed up to record ${last}.`
    : `The log verifies up to record ${last}; ${describeWitness(integrity.last_witnessed_seq)}.`;
}

function describeWitness(seq: number | null): string {
  return seq === null ? "nothing of it is witnessed" : `it is witnessed up to record ${seq}`;
}

function describeTail({ integrity }: SessionView): string {
  return integrity.recovered_records === 0
    ? "No tail was handed in afterwards."
    : `${count(integrity.recovered_records, "record")} after it ${integrity.recovered_records === 1 ? "was" : "were"} handed in later and witnessed by nobody.`;
}

function describeGaps({ integrity }: SessionView): string[] {
  const lacking = integrity.objects.filter((object) => !object.stored);
  const [first] = lacking;
  const objects =
    first === undefined
      ? []
      : [
          `The broker countersigned ${first.object} with the records from ${first.first_seq} on${lacking.length > 1 ? ` and ${count(lacking.length - 1, "more segment")}` : ""}: not in the bucket.`,
        ];
  return [...objects, ...integrity.notes.slice(0, 1).map(({ part, message }) => `${part}: ${message}`)];
}

function describeEnd({ ended_at, expires_at, revoked }: SessionView): string {
  const at = `at ${(ended_at ?? expires_at).slice(0, 19).replace("T", " ")} UTC`;
  if (revoked === null) return `The session ended ${at} without a seal.`;
  const own = revoked.cause === null ? "with its own key" : "by a policy change";
  const by = revoked.by === null ? own : `by ${revoked.by}`;
  return `The session was revoked ${by} ${at}, before its seal.`;
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
