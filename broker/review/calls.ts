/**
 * Calls of one session, each joined with its result.
 * A tail that nobody witnessed may hold anything: it never changes what the witnessed log says about a call.
 */
import type { AuditRecord, RecordOf } from "../../audit/record.ts";
import type { Verdict } from "../../audit/verification/verdict.ts";
import { describeAsk } from "../../proxy/messages/asks.ts";
import { clipName } from "./bounded-text.ts";
import { explainDecision } from "./explanation.ts";
import type { GivenPolicy } from "./grants.ts";
import { describeInspection } from "./inspection-text.ts";
import type { CallView, Counts } from "./view.ts";

/** Longer arguments are left out of the view; the log of the session has them. */
const MAX_ARGUMENT_CHARS = 16_384;
/** There are two; a log can say more. */
const MAX_LABELS = 10;

export interface CallSource {
  readonly session: string;
  readonly given: GivenPolicy;
  readonly records: readonly AuditRecord[];
  /** The unwitnessed tail, in its own order. */
  readonly recovered: readonly AuditRecord[];
  /** What the relay sent calls with, by their ids. */
  readonly relayedWith: Verdict["relayedWith"];
  /** Of `records`; -1 when nothing is covered. */
  readonly lastWitnessedSeq: number;
}

/** In the order of the log, the recovered ones last. */
export function listCalls(source: CallSource): CallView[] {
  const results = firstResults(source.records);
  const lateResults = firstResults(source.recovered);
  const witnessed = source.records.filter(isCall).map((call) => {
    const result = results.get(call.id) ?? lateResults.get(call.id);
    const covered = call.seq <= source.lastWitnessedSeq;
    const resultCovered =
      result === undefined || (results.has(call.id) && result.seq <= source.lastWitnessedSeq);
    return describeCall(source, { call, result, stream: "runner", witnessed: covered && resultCovered });
  });
  const recovered = source.recovered.filter(isCall).map((call) =>
    describeCall(source, {
      call,
      result: lateResults.get(call.id),
      stream: "recovered",
      witnessed: false,
    }),
  );
  return [...witnessed, ...recovered];
}

export function countCalls(calls: readonly CallView[]): Counts {
  const denied = calls.filter((call) => call.decision === "deny").length;
  return {
    calls: calls.length,
    allowed: calls.length - denied,
    denied,
    observed: calls.filter((call) => call.decision === "allow" && call.reason === "observed").length,
    failed: calls.filter(isFailed).length,
    unwitnessed: calls.filter((call) => !call.witnessed).length,
  };
}

export function isFailed(call: CallView): boolean {
  return call.decision === "allow" && call.outcome !== null && call.outcome !== "ok";
}

export function addCounts(left: Counts, right: Counts): Counts {
  return {
    calls: left.calls + right.calls,
    allowed: left.allowed + right.allowed,
    denied: left.denied + right.denied,
    observed: left.observed + right.observed,
    failed: left.failed + right.failed,
    unwitnessed: left.unwitnessed + right.unwitnessed,
  };
}

/** The broker's own record is the one to believe. */
function describeCredential({ relayedWith }: CallSource, call: RecordOf<"call">): CallView["credential"] {
  const relayed = relayedWith.get(call.id);
  const credential = relayed ?? call.credential;
  if (credential === undefined) return null;
  const { id, digest, expires_at } = credential;
  return {
    ...{ id: clipName(id), digest, expires_at: expires_at ?? null },
    by: relayed === undefined ? "runner" : "relay",
  };
}

function isCall(record: AuditRecord): record is RecordOf<"call"> {
  return record.kind === "call";
}

function firstResults(records: readonly AuditRecord[]): Map<string, RecordOf<"result">> {
  const results = new Map<string, RecordOf<"result">>();
  for (const record of records) {
    if (record.kind === "result" && !results.has(record.call)) {
      results.set(record.call, record);
    }
  }
  return results;
}

interface JoinedCall {
  call: RecordOf<"call">;
  result: RecordOf<"result"> | undefined;
  stream: CallView["stream"];
  witnessed: boolean;
}

function describeCall(source: CallSource, { call, result, stream, witnessed }: JoinedCall): CallView {
  const length = call.arguments === undefined ? 0 : JSON.stringify(call.arguments).length;
  const tooLong = length > MAX_ARGUMENT_CHARS;
  return {
    session: source.session,
    stream,
    seq: call.seq,
    time: call.time,
    agent: clipName(call.agent),
    client: call.client === null ? null : clipName(`${call.client.name} ${call.client.version}`),
    server: clipName(call.server),
    method: clipName(call.method),
    tool: call.tool === undefined ? null : clipName(call.tool),
    resource: call.resource === undefined ? null : clipName(call.resource),
    prompt: call.prompt === undefined ? null : clipName(call.prompt),
    ask: describeAsk(call) ?? null,
    arguments: tooLong ? null : (call.arguments ?? null),
    arguments_omitted: tooLong ? length : 0,
    decision: call.decision,
    reason: clipName(call.reason),
    rule: call.rule === undefined ? null : clipName(call.rule),
    observed:
      call.observed === undefined
        ? null
        : {
            reason: clipName(call.observed.reason),
            rule: call.observed.rule === undefined ? null : clipName(call.observed.rule),
          },
    credential: describeCredential(source, call),
    labels: (call.labels ?? []).slice(0, MAX_LABELS).map(clipName),
    ...explainDecision(source.given, call),
    outcome: result?.outcome ?? null,
    duration_ms: result?.duration_ms ?? null,
    inspected: result === undefined ? [] : describeInspection(result),
    witnessed,
  };
}
