/**
 * Sessions as an operator reads them: a table of many, a sheet of one. Names come from documents and tokens of others:
 * what could steer a terminal is taken out.
 */
import {
  claimsOf,
  policyOf,
  rolesOf,
  serversOfRow,
  timestampOf,
  workloadOf,
} from "../../sessions/session-row.ts";
import { describeMinted, type MintedView } from "../../review/session-credentials.ts";
import type { MintedCredentialRow } from "../../storage/credentials/credential-tables.ts";
import type {
  FindingRow,
  PolicyChangeRow,
  SessionRow,
  SessionState,
  WorkloadRow,
} from "../../storage/schema.ts";
import type { ListedSession } from "../../storage/sessions/session-list.ts";
import { describeGiven, listGivenLines } from "./session-policy-text.ts";

/** Claims that say which job it was; the rest are in `--json`. */
const SHOWN_CLAIMS = ["repository", "workflow_ref", "job_workflow_ref", "event_name", "ref", "sha", "actor"];

/** What it is now: a session that ran out is expired, whether or not anybody has marked it. */
export function stateOf({ state, expires_at }: SessionRow, now: number): SessionState {
  return state === "active" && expires_at <= now ? "expired" : state;
}

export function describeListed(row: ListedSession, now: number) {
  return {
    session: row.id,
    robot: row.robot,
    roles: rolesOf(row),
    state: stateOf(row, now),
    run_id: row.run_id,
    run_attempt: row.run_attempt,
    created_at: timestampOf(row.created_at),
    expires_at: timestampOf(row.expires_at),
    ended_at: row.ended_at === null ? null : timestampOf(row.ended_at),
    revoked_by: row.revoked_by ?? null,
    revocation_cause: row.revocation_cause ?? null,
  };
}

export interface WholeSession {
  readonly row: SessionRow;
  readonly bound: WorkloadRow;
  readonly segments: number;
  readonly findings: readonly FindingRow[];
  /** Canonical: what it was issued under. */
  readonly policy: string | undefined;
  readonly changes: readonly PolicyChangeRow[];
  readonly minted: readonly MintedCredentialRow[];
}

export function describeWhole(
  { row, bound, segments, findings, policy, changes, minted }: WholeSession,
  now: number,
) {
  return {
    ...describeListed({ ...row, run_id: bound.run_id, run_attempt: bound.run_attempt }, now),
    max_expires_at: timestampOf(row.max_expires_at),
    binding: row.binding,
    policy: row.policy,
    policy_now: policyOf(row),
    ...describeGiven(policy, changes),
    servers: Object.keys(serversOfRow(row)),
    workload: workloadOf(row),
    job_told_apart: bound.check_run_id !== null,
    key_thumbprint: bound.thumbprint,
    bound_at: timestampOf(bound.bound_at),
    segments,
    credentials: minted.map(describeMinted),
    findings: findings.map(({ kind, detail, time }) => ({ kind, detail, time: timestampOf(time) })),
    page: `/runs/${row.run}`,
    claims: claimsOf(row),
  };
}

export function renderTable(sessions: readonly ReturnType<typeof describeListed>[]): string {
  const head = ["SESSION", "STATE", "ROBOT", "RUN", "STARTED", "UNTIL"];
  const rows = sessions.map(({ session, state, robot, run_id, run_attempt, created_at, ...times }) => [
    session,
    state,
    printable(robot),
    `${run_id}/${run_attempt}`,
    shorten(created_at),
    shorten(times.ended_at ?? times.expires_at),
  ]);
  const lines = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines
    .map((line) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  "))
    .map((line) => `${line.trimEnd()}\n`)
    .join("");
}

export function renderSheet(session: ReturnType<typeof describeWhole>): string {
  const { workload } = session;
  const job = session.job_told_apart
    ? `check run ${workload.check_run_id}`
    : "not told apart from others of the attempt: the issuer sends no check_run_id";
  const lines: [string, string][] = [
    ["session", session.session],
    ["state", session.state],
    ...(session.revoked_by === null ? [] : [["revoked by", session.revoked_by] satisfies [string, string]]),
    ...(session.revocation_cause === null
      ? []
      : [["revoked by", "policy change"] satisfies [string, string]]),
    ["robot", session.robot],
    ["roles", session.roles.join(", ")],
    ["servers", session.servers.join(", ")],
    ...listGivenLines(session),
    ["run", `${workload.run_id}, attempt ${workload.run_attempt}, of ${workload.iss}`],
    ["job", job],
    ...SHOWN_CLAIMS.flatMap((name): [string, string][] => {
      const claim = session.claims[name];
      return typeof claim === "string" && claim !== "" ? [[name, claim]] : [];
    }),
    ["started", session.created_at],
    ["expires", `${session.expires_at}, at the latest ${session.max_expires_at}`],
    ...(session.ended_at === null ? [] : [["ended", session.ended_at] satisfies [string, string]]),
    ["key", `${session.key_thumbprint}, since ${session.bound_at}`],
    ["log", `${session.segments} segments countersigned`],
    ...session.credentials.map((minted): [string, string] => ["credential", tellMinted(minted)]),
    ["page", session.page],
    ...session.findings.map(({ time, kind, detail }): [string, string] => [
      "finding",
      `${time} ${kind}: ${detail}`,
    ]),
  ];
  const width = Math.max(...lines.map(([name]) => name.length));
  return lines.map(([name, text]) => `${name.padEnd(width)}  ${printable(text)}\n`).join("");
}

function tellMinted({
  credential,
  digest,
  state,
  expires_at,
  ended_at,
  attempts,
  failure,
}: MintedView): string {
  const which = `${credential} ${digest === null ? "(unknown)" : digest.slice(0, 12)}`;
  const until = expires_at === null ? "" : `, until ${shorten(expires_at)}`;
  const reason = failure === null ? "" : `: ${failure}`;
  switch (state) {
    case "asked":
      return `${credential}, asked for`;
    case "active":
      return `${which}, in use${until}`;
    case "ending":
      return `${which}, to be ended at its issuer${attempts === 0 ? "" : `, tried in vain ${attempts} times`}${until}${reason}`;
    case "lapsing":
      return `${which}, cannot be ended at its issuer${until}${reason}`;
    case "ended":
      return `${which}, over${ended_at === null ? "" : ` since ${shorten(ended_at)}`}`;
  }
}

/** `2026-11-22 09:30:05Z`. */
function shorten(timestamp: string): string {
  return `${timestamp.slice(0, 19).replace("T", " ")}Z`;
}

function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "�");
}
