/**
 * A run for the reviewer: its sessions put together, a page of its calls, the verdict.
 */
import type { WorkloadRow } from "../storage/schema.ts";
import { claimsOf } from "../sessions/session-row.ts";
import { addCounts } from "./calls.ts";
import { arrangeFindings } from "./findings.ts";
import { findRunAddress } from "./forge-address.ts";
import type { SessionRows } from "./run-rows.ts";
import type { SessionReview } from "./session-view.ts";
import { composeVerdict, decideRunStatus } from "./verdict.ts";
import type { CallView, Counts, FindingView, RunHeader, RunSummary, RunView } from "./view.ts";

const CALLS_PER_PAGE = 100;
const MAX_DENIED_SHOWN = 50;
const MAX_FINDINGS_SHOWN = 100;

export interface RunParts {
  readonly run: RunHeader;
  readonly attempts: RunView["attempts"];
  /** In the order in which they began. */
  readonly reviews: readonly SessionReview[];
  readonly moreSessions: number;
  /** What the broker itself noticed. */
  readonly findings: readonly FindingView[];
}

export function composeRunView(
  { run, attempts, reviews, moreSessions, findings }: RunParts,
  offset: number,
): RunView {
  const sessions = reviews.map((review) => review.view);
  const calls = reviews.flatMap((review) => review.calls).sort(inOrder);
  const denied = calls.filter((call) => call.decision === "deny");
  const counts = sessions.map((session) => session.counts).reduce(addCounts, noCalls);
  const agents = [...new Set(sessions.flatMap((session) => session.agents))];
  const all = arrangeFindings([...findings, ...reviews.flatMap((review) => review.findings)]);
  return {
    run,
    attempts,
    status: decideRunStatus(sessions.map((session) => session.status)),
    verdict: composeVerdict({ sessions, counts, agents, findings: all }),
    counts,
    agents,
    findings: all.slice(0, MAX_FINDINGS_SHOWN),
    more_findings: Math.max(0, all.length - MAX_FINDINGS_SHOWN),
    denied: denied.slice(0, MAX_DENIED_SHOWN),
    more_denied: Math.max(0, denied.length - MAX_DENIED_SHOWN),
    calls: {
      rows: calls.slice(offset, offset + CALLS_PER_PAGE),
      offset,
      limit: CALLS_PER_PAGE,
      total: calls.length,
    },
    sessions,
    more_sessions: moreSessions,
  };
}

export function summarizeRun({ run, reviews, findings }: RunParts): RunSummary {
  const all = arrangeFindings([...findings, ...reviews.flatMap((review) => review.findings)]);
  return {
    run,
    status: decideRunStatus(reviews.map((review) => review.view.status)),
    robots: [...new Set(reviews.map((review) => review.view.robot))],
    counts: reviews.map((review) => review.view.counts).reduce(addCounts, noCalls),
    findings: all.length,
  };
}

const noCalls: Counts = { calls: 0, allowed: 0, denied: 0, observed: 0, failed: 0, unwitnessed: 0 };

/** By time; a tail that nobody witnessed chooses its own times and comes last. */
function inOrder(left: CallView, right: CallView): number {
  if (left.stream !== right.stream) {
    return left.stream === "runner" ? -1 : 1;
  }
  if (left.time !== right.time && left.stream === "runner") {
    return left.time < right.time ? -1 : 1;
  }
  return 0;
}

/** From the claims of the run's first session, which the broker verified. */
export function describeRun(first: SessionRows, ends: readonly (string | null)[]): RunHeader {
  const { session, workload } = first;
  const claims = claimsOf(session);
  const text = (name: string): string | null => {
    const value = claims[name];
    return typeof value === "string" && value !== "" ? value : null;
  };
  const repository = text("repository") ?? "";
  const workflowRef = text("workflow_ref") ?? "";
  return {
    id: session.run,
    iss: workload.iss,
    repository,
    repository_id: workload.repository_id,
    run_id: workload.run_id,
    run_number: text("run_number"),
    run_attempt: workload.run_attempt,
    workflow: text("workflow") ?? nameWorkflow(workflowRef),
    workflow_ref: workflowRef,
    event: text("event_name") ?? "",
    ref: text("ref") ?? "",
    sha: text("sha"),
    actor: text("actor"),
    started_at: new Date(session.created_at).toISOString(),
    ended_at: lastOf(ends),
    url: findRunAddress(addressParts(workload, repository)) ?? null,
  };
}

function addressParts({ iss, run_id, run_attempt }: WorkloadRow, repository: string) {
  return { iss, repository, run_id, run_attempt };
}

/** `acme/payments/.github/workflows/triage.yml@refs/heads/main` → `triage.yml`. */
function nameWorkflow(workflowRef: string): string {
  const path = workflowRef.split("@", 1)[0] ?? "";
  return path.slice(path.lastIndexOf("/") + 1);
}

function lastOf(ends: readonly (string | null)[]): string | null {
  const known = ends.filter((end) => end !== null).sort();
  return known.length === ends.length ? (known.at(-1) ?? null) : null;
}
