/**
 * Where the objects of a session lie in the bucket. Ids, not names, since names are used again;
 * as Hive partitions, so that query engines read them as they are.
 */
import type { StreamName } from "./manifest.ts";

/** What a path says about a session. */
export interface SessionLocation {
  readonly repositoryId: string;
  /** The UTC day on which the session began: `YYYY-MM-DD`. */
  readonly date: string;
  /** The last part of the robot's name. */
  readonly robot: string;
  readonly runId: string;
  readonly runAttempt: string;
  readonly session: string;
}

/** Written by the broker once it has seen that a sealed log is there in full. */
export const MANIFEST_OBJECT = "manifest.json";
/** Written by the broker when it took in what was left of a log whose proxy was gone. */
export const RECOVERED_MANIFEST_OBJECT = "recovered/manifest.json";

/** Written by the broker once all that it relayed for a session is there, whatever becomes of the runner's log. */
export const RELAY_MANIFEST_OBJECT = "relay/manifest.json";

/** The prefix of a session's objects, slash at the end. Throws a `RangeError` for a part that would not stay one part. */
export function sessionPrefix(location: SessionLocation): string {
  const parts = listPartitions(location).map(([name, value]) => {
    if (!/^[A-Za-z0-9._-]+$/.test(value) || /^\.+$/.test(value)) {
      throw new RangeError(`${name} cannot stand in an object's path`);
    }
    return `${name}=${value}/`;
  });
  return `audit/v1/${parts.join("")}`;
}

/** The object of a stream's `number`-th segment, counted from 1, relative to the session's prefix. */
export function segmentObject(stream: StreamName, number: number): string {
  if (!Number.isSafeInteger(number) || number < 1) {
    throw new RangeError("segments are counted from 1");
  }
  return `${stream}/${String(number).padStart(6, "0")}.jsonl.zst`;
}

/** The number of the segment that `object` is in `stream`; undefined where it is none. */
export function parseSegmentObject(stream: StreamName, object: string): number | undefined {
  const digits = /^[a-z]+\/([0-9]{6,9})\.jsonl\.zst$/.exec(object)?.[1];
  const number = Number(digits ?? 0);
  return number > 0 && segmentObject(stream, number) === object ? number : undefined;
}

/** The partitions that a path ends with: of `/x/run=7/attempt=1/`, `run` and `attempt`. */
export function readPartitions(path: string): ReadonlyMap<string, string> {
  const partitions = new Map<string, string>();
  const parts = path.replace(/[/\\]+$/, "").split(/[/\\]/);
  for (const part of parts.reverse()) {
    const separator = part.indexOf("=");
    if (separator < 1) {
      break;
    }
    partitions.set(part.slice(0, separator), part.slice(separator + 1));
  }
  return partitions;
}

/** In the order in which they stand in the path, under the names that they have there. */
function listPartitions(location: SessionLocation): [string, string][] {
  return [
    ["repository_id", location.repositoryId],
    ["date", location.date],
    ["robot", location.robot],
    ["run", location.runId],
    ["attempt", location.runAttempt],
    ["session", location.session],
  ];
}
