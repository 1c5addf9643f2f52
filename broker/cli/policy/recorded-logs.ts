/**
 * The sessions that audit logs hold, as policy tools look at them. Only logs that fit together are used; with the
 * broker's keys, only those that it witnessed. A log that is left out is told, with the reason.
 */
import type { JSONWebKeySet } from "jose";
import type { Json } from "../../../audit/canonical.ts";
import type { AuditRecord, RecordOf } from "../../../audit/record.ts";
import type { Verdict } from "../../../audit/verification/verdict.ts";
import { verifySession } from "../../../audit/verification/verification.ts";
import type { RecordedCall, RecordedSession } from "../../../policies/authoring/recorded-session.ts";
import { loadCheckpointKeys } from "../checkpoint-keys.ts";
import { showControls } from "../problem-report.ts";
import { findSessionFolders, type SessionFolder } from "../session-folders.ts";
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
    const found = await findSessionFolders(path);
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
  for (const [index, { path, source }] of [...folders.values()].entries()) {
    const verdict = await verifySession(source, loaded?.keys ?? NO_KEYS, { location: path });
    const damage = verdict.problems.find(
      ({ breaks, code }) => breaks && (loaded !== undefined || !NEEDS_KEYS.has(code)),
    );
    const session = damage === undefined ? readSession(verdict) : undefined;
    if (session === undefined) {
      leftOut.push({ path, reason: damage?.message ?? "its first record is missing" });
    } else if (robot === undefined || session.robot === robot) {
      sessions.push(session);
    }
    if ((index + 1) % PROGRESS_EVERY === 0) {
      onProgress?.(`${index + 1} of ${folders.size} sessions read`);
    }
  }
  return { sessions, leftOut, verified: loaded !== undefined };
}

/** What whoever relies on them should know: what was left out, and whether anybody witnessed the rest. */
export function describeLogs({ leftOut, verified }: RecordedLogs): string {
  const unverified = verified
    ? ""
    : "The signatures of the logs were not looked at: give --keys to use only what verifies.\n";
  return (
    leftOut.map(({ path, reason }) => `${showControls(`left out: ${path}: ${reason}`)}\n`).join("") +
    unverified
  );
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

function findName({ method, tool }: RecordOf<"call">): Pick<RecordedCall, "kind" | "name"> | undefined {
  if (tool === undefined) {
    return undefined;
  }
  const kinds = { "tools/call": "tool", "resources/read": "resource", "prompts/get": "prompt" } as const;
  const kind = new Map(Object.entries(kinds)).get(method);
  return kind === undefined ? undefined : { kind, name: tool };
}

function readArguments({
  arguments: args,
  arguments_digest: digest,
}: RecordOf<"call">): Pick<RecordedCall, "args" | "isRedacted"> {
  const isObject = typeof args === "object" && args !== null && !Array.isArray(args);
  if (isObject) {
    return { args, isRedacted: holdsReplaced(args) };
  }
  // Without a digest nothing was sent; with one, the log was to hold no more.
  return { args: args === undefined && digest !== undefined ? undefined : {}, isRedacted: false };
}

function holdsReplaced(value: Json): boolean {
  if (typeof value === "string") {
    return REPLACED.test(value);
  }
  return typeof value === "object" && value !== null && Object.values(value).some(holdsReplaced);
}
