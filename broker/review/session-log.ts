/**
 * The log of one session, read from the bucket and verified, then compared with what the broker itself knows:
 * the segments it countersigned and the state it left the session in. Where they differ, the log is broken.
 */
import { hash } from "node:crypto";
import type { JSONWebKeySet } from "jose";
import { segmentObject } from "../../audit/object-path.ts";
import type { Verdict } from "../../audit/verification/verdict.ts";
import { verifySession } from "../../audit/verification/verification.ts";
import { type Bucket, ObjectTooLarge } from "../custody/bucket.ts";
import { listPolicyChanges } from "../storage/sessions/policy-changes.ts";
import type { Queries, SegmentRow, SessionRow } from "../storage/schema.ts";
import { listSegments } from "../storage/sessions/segments.ts";
import { compareWithBroker } from "./broker-knowledge.ts";
import type { ProblemView } from "./integrity-view.ts";
import type { SessionStatus } from "./view.ts";

export interface SessionLog {
  readonly status: SessionStatus;
  readonly verdict: Verdict;
  /** What makes it broken; empty otherwise. */
  readonly problems: readonly ProblemView[];
  /** Those that the broker countersigned, in order. */
  readonly segments: readonly SegmentRow[];
  /** The last record of the runner's stream that the broker put its signature under; -1 for none. */
  readonly lastWitnessedSeq: number;
  /** The names of the objects that lie in the bucket. */
  readonly stored: ReadonlySet<string>;
}

export interface SessionLogSource {
  readonly database: Queries;
  readonly bucket: Bucket;
  readonly keys: JSONWebKeySet;
  readonly session: SessionRow;
  /** Of each stream; a longer log is verified whole all the same. */
  readonly maxRecords: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export async function readSessionLog(source: SessionLogSource): Promise<SessionLog> {
  const { database, bucket, keys, session, maxRecords, now } = source;
  const prefix = session.object_prefix;
  const names = (await bucket.list(prefix)).map((key) => key.slice(prefix.length));
  // Asked for after the list: what is stored was countersigned before.
  const segments = await listSegments(database, session.id);
  const digests = new Map<string, string>();
  const verdict = await verifySession(
    {
      list: async () => names,
      read: async (object, maxBytes) => {
        const body = await readObject(bucket, prefix + object, maxBytes);
        digests.set(object, hash("sha256", body, "hex"));
        return body;
      },
    },
    keys,
    { location: prefix, maxRecords },
  );
  const changes = await listPolicyChanges(database, session.id);
  const policies = [session.policy, ...changes.map(({ policy }) => policy)];
  const problems = compareWithBroker({ session, policies, segments, verdict, names, digests });
  const broken = problems.length > 0;
  return {
    status: broken ? "broken" : decideStatus(session, verdict, now),
    verdict,
    problems,
    segments,
    // What comes before a break may have been written anew: no signature reaches it.
    lastWitnessedSeq: broken
      ? -1
      : Math.max(verdict.witnessedSeq ?? -1, findCountersigned(segments, digests)),
    stored: new Set(names),
  };
}

/** What is too large comes as something too large: verification says so, with the object's name. */
async function readObject(bucket: Bucket, key: string, maxBytes: number): Promise<Buffer> {
  try {
    const body = await bucket.read(key, maxBytes);
    if (body === undefined) {
      throw new Error(`the object ${key} was listed and is gone`);
    }
    return body;
  } catch (cause) {
    if (cause instanceof ObjectTooLarge) {
      return Buffer.alloc(maxBytes + 1);
    }
    throw cause;
  }
}

function decideStatus(session: SessionRow, verdict: Verdict, now: number): SessionStatus {
  if (verdict.status !== "incomplete") {
    return verdict.status;
  }
  return session.state === "active" && now < session.expires_at ? "running" : "incomplete";
}

/** The last segment's checkpoint stands in the segment after it: until there is one, the broker's own copy counts. */
function findCountersigned(segments: readonly SegmentRow[], digests: ReadonlyMap<string, string>): number {
  return segments
    .filter((row) => digests.get(segmentObject("runner", row.segment)) === row.sha256)
    .reduce((last, row) => Math.max(last, row.last_seq), -1);
}
