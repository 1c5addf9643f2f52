/**
 * One session for the reviewer: what the database knows of it, joined with what its log holds.
 * Identity comes from the claims that the broker verified; a log cannot say who its session was.
 */
import { z } from "zod";
import { segmentObject } from "../../audit/object-path.ts";
import type { RecordOf } from "../../audit/record.ts";
import { claimsOf, rolesOf, serversOfRow, timestampOf } from "../sessions/session-row.ts";
import { clipName } from "./bounded-text.ts";
import { countCalls, listCalls } from "./calls.ts";
import { describeManifestFinding, listEvents } from "./findings.ts";
import { type GivenPolicy, readGrants, withFlow } from "./grants.ts";
import type { IntegrityView, ProblemView } from "./integrity-view.ts";
import type { SessionRows } from "./run-rows.ts";
import type { SessionLog } from "./session-log.ts";
import type { CallView, FindingView, PolicyChangeView, ServerView, SessionView } from "./view.ts";
import { describeMinted, describePresented } from "./session-credentials.ts";
import { listVerifyCommands } from "./verify-commands.ts";

const MAX_AGENTS_SHOWN = 100;
const MAX_SERVERS_SHOWN = 100;
const MAX_TOOLS_SHOWN = 200;
const MAX_PROBLEMS_SHOWN = 20;
const MAX_OBJECTS_SHOWN = 200;
const MAX_MINTED_SHOWN = 100;
/** Of three streams as many as the verdict lists of each. */
const MAX_PRESENTED_SHOWN = 300;

export interface SessionReview {
  readonly view: SessionView;
  readonly calls: readonly CallView[];
  readonly findings: readonly FindingView[];
}

export interface SessionReviewSource {
  readonly rows: SessionRows;
  readonly log: SessionLog;
  readonly publicUrl: string;
}

export function reviewSession({ rows, log, publicUrl }: SessionReviewSource): SessionReview {
  const { session, workload } = rows;
  const { verdict } = log;
  const issued = readGrants(rows.policy);
  const given = rows.changes.reduce((so, { source }) => withFlow(so, source), issued);
  const genesis = verdict.records.find((record) => record.kind === "genesis");
  const seal = verdict.records.find((record) => record.kind === "seal");
  const calls = listCalls({
    session: session.id,
    given,
    records: verdict.records,
    recovered: verdict.recovered,
    relayedWith: verdict.relayedWith,
    lastWitnessedSeq: log.lastWitnessedSeq,
  });
  return {
    calls,
    findings: listFindings(session.id, log),
    view: {
      session: session.id,
      status: log.status,
      robot: session.robot,
      roles: rolesOf(session),
      agents: listAgents(genesis, calls).slice(0, MAX_AGENTS_SHOWN).map(clipName),
      run_attempt: workload.run_attempt,
      check_run_id: workload.check_run_id,
      job_told_apart: workload.check_run_id !== null,
      started_at: timestampOf(session.created_at),
      expires_at: timestampOf(session.expires_at),
      ended_at: endOf(rows, log),
      revoked: describeRevocation(session),
      policy: session.policy,
      mode: issued.mode,
      policy_changes: rows.changes.map(describeChange),
      proxy_version: genesis?.proxy.version ?? null,
      isolation: genesis?.isolation ?? null,
      seal_reason: seal?.reason ?? null,
      counts: countLeftOut(log) === 0 ? countCalls(calls) : { ...countCalls(calls), ...verdict.totals },
      servers: describeServers(rows, log, given),
      grants: [...given.grants.values()],
      flow: [...given.flow.values()],
      credentials: rows.minted.slice(-MAX_MINTED_SHOWN).map(describeMinted),
      presented: verdict.credentials.slice(0, MAX_PRESENTED_SHOWN).map(describePresented),
      presented_left_out: verdict.credentialsLeftOut,
      claims: claimsOf(session),
      integrity: describeIntegrity(rows, log, publicUrl),
    },
  };
}

const Lost = z.array(z.string());

function describeChange({ time, policy, lost }: SessionRows["changes"][number]): PolicyChangeView {
  return { time: timestampOf(time), policy, lost: Lost.parse(JSON.parse(lost)).map(clipName) };
}

/** As the genesis names them; where nothing but a recovered tail is left, those that it says have called. */
function listAgents(genesis: RecordOf<"genesis"> | undefined, calls: readonly CallView[]): string[] {
  return genesis?.agents ?? [...new Set(calls.map((call) => call.agent))];
}

/** Null while it runs. A session that ran out of time ended then, also where nobody has noticed yet. */
function endOf({ session }: SessionRows, { status }: SessionLog): string | null {
  if (status === "running") {
    return null;
  }
  return timestampOf(session.ended_at ?? session.expires_at);
}

/** A log that was recovered later does not take it back. */
function describeRevocation({
  state,
  revoked_by,
  revocation_cause,
}: SessionRows["session"]): SessionView["revoked"] {
  const [by, cause] = [revoked_by ?? null, revocation_cause ?? null];
  return state === "revoked" || by !== null || cause !== null ? { by, cause } : null;
}

function listFindings(session: string, { verdict }: SessionLog): FindingView[] {
  const signed = verdict.manifest?.findings ?? [];
  return [
    ...signed.map((finding) => describeManifestFinding(session, finding)),
    ...listEvents(session, verdict.records, "log"),
    ...listEvents(session, verdict.recovered, "unwitnessed"),
  ];
}

/** The servers that its grants reach, each with what it listed last. */
function describeServers(
  { session }: SessionRows,
  { verdict }: SessionLog,
  { grants }: GivenPolicy,
): ServerView[] {
  const catalogs = new Map<string, RecordOf<"catalog">>();
  const listChanges = new Map<string, number>();
  const restarts = new Map<string, number>();
  const countOne = (counts: Map<string, number>, name: string): unknown =>
    counts.set(name, (counts.get(name) ?? 0) + 1);
  for (const record of verdict.records) {
    if (record.kind === "catalog") {
      const before = catalogs.get(record.server);
      if (before !== undefined && isListChanged(before, record)) countOne(listChanges, record.server);
      // Each holds the lists that changed.
      catalogs.set(record.server, { ...before, ...record });
    } else if (record.kind === "event" && record.event === "server_restarted") {
      const { server } = record.detail;
      if (typeof server === "string") countOne(restarts, server);
    }
  }
  const granted = [...grants.values()].map((grant) => grant.server);
  const names = new Set([...Object.keys(serversOfRow(session)), ...granted, ...catalogs.keys()]);
  return [...names]
    .sort()
    .slice(0, MAX_SERVERS_SHOWN)
    .map((name) => {
      const { tools = [], resources = [], resource_templates = [], prompts = [] } = catalogs.get(name) ?? {};
      const known = [...tools, ...resources, ...resource_templates, ...prompts];
      const visible = known.filter((each) => each.visible);
      const shown = new Set(visible.slice(0, MAX_TOOLS_SHOWN));
      const show = (list: typeof known): ServerView["tools"] =>
        list
          .filter((each) => shown.has(each))
          .map((each) => ({ name: clipName(each.name), rule: clipName(each.why) }));
      return {
        name: clipName(name),
        listed: catalogs.has(name),
        tools: show(tools),
        resources: show([...resources, ...resource_templates]),
        prompts: show(prompts),
        more: Math.max(0, visible.length - MAX_TOOLS_SHOWN),
        hidden: known.length - visible.length,
        list_changes: listChanges.get(name) ?? 0,
        restarts: restarts.get(name) ?? 0,
      };
    });
}

const LISTS = ["tools", "resources", "resource_templates", "prompts"] as const;

/** In names or definitions: what the agent may see of them changes with the policy as well. */
function isListChanged(before: RecordOf<"catalog">, now: RecordOf<"catalog">): boolean {
  const content = (list: (typeof before)["tools"]): string =>
    JSON.stringify(list?.map(({ name, digest }) => [name, digest]).sort());
  return LISTS.some((list) => {
    const [old, fresh] = [before[list], now[list]];
    return old !== undefined && fresh !== undefined && content(old) !== content(fresh);
  });
}

function describeIntegrity({ session }: SessionRows, log: SessionLog, publicUrl: string): IntegrityView {
  const { verdict, problems, segments } = log;
  const { manifest } = verdict;
  const announced = segments.map(({ segment, bytes, sha256, first_seq, last_seq }) => {
    const object = segmentObject("runner", segment);
    return { object, bytes, sha256, first_seq, last_seq, stored: log.stored.has(object) };
  });
  const recovered = (manifest?.recovered ?? []).map(({ object, bytes, sha256, first_seq, last_seq }) => ({
    object,
    bytes,
    sha256,
    first_seq,
    last_seq,
    stored: log.stored.has(object),
  }));
  return {
    records: verdict.recordCount,
    recovered_records: verdict.recoveredCount,
    more_records: countLeftOut(log),
    checkpoints: verdict.checkpoints,
    last_witnessed_seq: log.lastWitnessedSeq < 0 ? null : log.lastWitnessedSeq,
    head: verdict.head ?? null,
    objects: [...announced, ...recovered].slice(0, MAX_OBJECTS_SHOWN),
    more_objects: Math.max(0, announced.length + recovered.length - MAX_OBJECTS_SHOWN),
    manifest: manifest === undefined ? null : { status: manifest.status, written_at: manifest.written_at },
    keys: [...verdict.keys],
    prefix: session.object_prefix,
    verify: listVerifyCommands(session.object_prefix, publicUrl),
    problems: problems.slice(0, MAX_PROBLEMS_SHOWN),
    more_problems: Math.max(0, problems.length - MAX_PROBLEMS_SHOWN),
    notes: listNotes(log),
  };
}

function countLeftOut({ verdict }: SessionLog): number {
  const { records, recovered, recordCount, recoveredCount } = verdict;
  return recordCount - records.length + (recoveredCount - recovered.length);
}

/** That there is no seal is the status; it needs no remark. */
function listNotes({ verdict }: SessionLog): ProblemView[] {
  return verdict.problems
    .filter(({ breaks, code }) => !breaks && code !== "recovered" && code !== "manifest_missing")
    .slice(0, MAX_PROBLEMS_SHOWN)
    .map(({ part, code, message }) => ({ part, code, message }));
}
