/**
 * The sessions that audit logs hold, as policy tools look at them. Only logs that fit together are used; with the
 * broker's keys, only those that it witnessed. A log that is left out is told, with the reason.
 */
import type { JSONWebKeySet } from "jose";
import type { Json } from "../../../audit/canonical.ts";
import type { AuditRecord, RecordOf } from "../../../audit/record.ts";
import type { Verdict } from "../../../audit/verification/verdict.ts";
import { verifySession } from "../../../audit/verification/verification.ts";
import { Claims } from "../../../policies/claims.ts";
import { ASK_METHODS } from "../../../proxy/messages/asks.ts";
import type { RecordedCall, RecordedSession } from "../../../policies/authoring/recorded-session.ts";
import { loadCheckpointKeys } from "../keys/checkpoint-keys.ts";
import { showControls } from "../problem-report.ts";
import { findSessionFolders, type SessionFolder } from "../session/session-folders.ts";
import { NoAnswer } from "./answer.ts";

interface LeftOut {
  readonly path: string;
  /** One clause. It may quote the log. */
  readonly reason: string;
}

export interface RecordedLogs {
  readonly sessions: readonly RecordedSession[];
  readonly leftOut: readonly LeftOut[];
  /** Whether the broker's signatures were looked at. */
  readonly verified: boolean;
}

export interface WantedLogs {
  readonly paths: readonly string[];
  /** A file or an address; undefined: signatures are not looked at. */
  readonly keys: string | undefined;
  /** Only sessions of this robot. */
  readonly robot?: string | undefined;
  readonly onProgress?: (text: string) => void;
}

const PROGRESS_EVERY = 100;
const NO_KEYS: JSONWebKeySet = { keys: [] };
/** What cannot be said without keys; everything else is damage. */
const NEEDS_KEYS = new Set(["key_unknown", "manifest_signature", "checkpoint_signature", "manifest_missing"]);
/** In place of a secret, and of a value that the grant keeps out of the log. */
const REPLACED = /\[redacted:[^\]]*\]|^\[withheld\]$/;

export async function readRecordedLogs({
  paths,
  keys,
  robot,
  onProgress,
}: WantedLogs): Promise<RecordedLogs> {
  const loaded = keys === undefined ? undefined : await loadCheckpointKeys(keys);
  if (loaded?.ok === false) {
    throw new NoAnswer(`the keys of ${keys} cannot be used: ${loaded.message}`);
  }
  const folders = new Map<string, SessionFolder>();
  for (const path of paths) {
    const found = await findSessionFolders(path).catch((error: unknown) => {
      throw new NoAnswer(`${path} cannot be read: ${describe(error)}`);
    });
    if (found === undefined || found.length === 0) {
      const why = found === undefined ? "is no folder" : "holds no audit log";
      throw new NoAnswer(`${path} ${why}`);
    }
    for (const folder of found) {
      folders.set(folder.path, folder);
    }
  }
  const sessions: RecordedSession[] = [];
  const leftOut: LeftOut[] = [];
  const places = new Map<string, string>();
  for (const [index, { path, source }] of [...folders.values()].entries()) {
    const read = await readLog(source, { path, keys: loaded?.keys });
    const earlier = typeof read === "string" ? undefined : places.get(read.session);
    if (typeof read === "string") {
      leftOut.push({ path, reason: read });
    } else if (earlier !== undefined) {
      leftOut.push({ path, reason: `it is of the session that was read from ${earlier} already` });
    } else {
      places.set(read.session, path);
      if (robot === undefined || read.robot === robot) {
        sessions.push(read);
      }
    }
    if ((index + 1) % PROGRESS_EVERY === 0) {
      onProgress?.(`${index + 1} of ${folders.size} sessions read`);
    }
  }
  return { sessions, leftOut, verified: loaded !== undefined };
}

interface WantedLog {
  readonly path: string;
  readonly keys: JSONWebKeySet | undefined;
}

/** The session, or the clause that says why its log is of no use. */
async function readLog(
  source: SessionFolder["source"],
  { path, keys }: WantedLog,
): Promise<RecordedSession | string> {
  const verified = await verifySession(source, keys ?? NO_KEYS, { location: path }).catch(
    (error: unknown) => `it cannot be read: ${describe(error)}`,
  );
  if (typeof verified === "string") {
    return verified;
  }
  const { problems, recordCount, recoveredCount, records, recovered } = verified;
  const damage = problems.find(({ breaks, code }) => breaks && (keys !== undefined || !NEEDS_KEYS.has(code)));
  if (damage !== undefined) {
    return damage.message;
  }
  // Of a part nobody could say that it is what the session did.
  if (recordCount > records.length || recoveredCount > recovered.length) {
    return `it has ${recordCount + recoveredCount} records, more than can be looked at`;
  }
  const session = readSession(verified);
  if (session === undefined) {
    return "its first record is missing";
  }
  return Claims.safeParse(session.claims).success ? session : "its claims are not those of a run";
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const MAX_LEFT_OUT = 20;

/** What whoever relies on them should know: what was left out, and whether anybody witnessed the rest. */
export function describeLogs({ leftOut, verified }: RecordedLogs): string {
  const more = leftOut.length - MAX_LEFT_OUT;
  const lines = [
    ...leftOut.slice(0, MAX_LEFT_OUT).map(({ path, reason }) => `left out: ${path}: ${reason}`),
    ...(more > 0 ? [`left out: ${more} more`] : []),
    ...(verified
      ? []
      : ["The signatures of the logs were not looked at: give --keys to use only what verifies."]),
  ];
  return lines.map((line) => `${showControls(line)}\n`).join("");
}

/** Why there is nothing: `what` is what they were wanted for. */
export function describeNothing(
  { leftOut }: RecordedLogs,
  { what, robot }: { what: string; robot: string | undefined },
): string {
  const [first] = leftOut;
  const of = robot === undefined ? "" : ` of ${robot}`;
  return first === undefined
    ? `there is no session${of} ${what}`
    : `there is no session${of} ${what}; left out: ${leftOut.length}, the first ${first.path}: ${first.reason}`;
}

function readSession({ records, recovered }: Verdict): RecordedSession | undefined {
  const [genesis] = records;
  if (genesis?.kind !== "genesis") {
    return undefined;
  }
  const { session, robot, roles, workload, claims, mode = "enforce" } = genesis;
  const repository = typeof claims["repository"] === "string" ? claims["repository"] : workload.repository_id;
  return {
    session,
    run: `${repository} run ${workload.run_id} attempt ${workload.run_attempt}`,
    robot,
    roles,
    mode,
    claims,
    calls: [...records, ...recovered].flatMap((record) => readCall(record) ?? []),
  };
}

function readCall(record: AuditRecord): RecordedCall | undefined {
  if (record.kind !== "call") {
    return undefined;
  }
  const named = findName(record);
  // A method that nobody can grant, or a call without a name: no policy decides those.
  return named === undefined
    ? undefined
    : {
        server: record.server,
        ...named,
        agent: record.agent,
        ...readArguments(record),
        wasAllowed: record.decision === "allow",
        reason: record.reason,
      };
}

/** What each method can name. What only gives something up is decided by nothing that a draft could change. */
const KINDS: ReadonlyMap<string, readonly Exclude<RecordedCall["kind"], "ask">[]> = new Map([
  ["tools/call", ["tool"]],
  ["resources/read", ["resource"]],
  ["resources/subscribe", ["resource"]],
  ["subscriptions/listen", ["resource"]],
  ["prompts/get", ["prompt"]],
  ["completion/complete", ["resource", "prompt"]],
]);

function findName(call: RecordOf<"call">): Pick<RecordedCall, "kind" | "name"> | undefined {
  const ask = ASK_METHODS.get(call.method);
  if (ask !== undefined) {
    return { kind: "ask", name: ask };
  }
  for (const kind of KINDS.get(call.method) ?? []) {
    const name = call[kind];
    if (name !== undefined) {
      return { kind, name };
    }
  }
  return undefined;
}

function readArguments({
  arguments: args,
  arguments_digest: digest,
}: RecordOf<"call">): Pick<RecordedCall, "args" | "redacted"> {
  const isObject = typeof args === "object" && args !== null && !Array.isArray(args);
  if (isObject) {
    const redacted = Object.entries(args).filter(
      ([name, value]) => REPLACED.test(name) || holdsReplaced(value),
    );
    return { args, redacted: redacted.map(([name]) => name) };
  }
  // Without a digest nothing was sent; with one, the log was to hold no more.
  return { args: args === undefined && digest !== undefined ? undefined : {}, redacted: [] };
}

function holdsReplaced(value: Json): boolean {
  if (typeof value === "string") {
    return REPLACED.test(value);
  }
  return typeof value === "object" && value !== null && Object.values(value).some(holdsReplaced);
}
