/**
 * Recovery: the proxy is gone, and the job hands in what is left of its spool, with a fresh subject token in place of
 * the key. It is stored once, apart from what was witnessed, and the session is over for good.
 */
import type { SegmentEntry } from "../../audit/manifest.ts";
import { segmentObject } from "../../audit/object-path.ts";
import { packSegment } from "../../audit/segment.ts";
import type { RecoverRequest, RecoverResponse } from "../contract.ts";
import type { VerifiedSubject } from "../identity/subject-token.ts";
import { type Refused, refuse } from "../refusals.ts";
import type { Services } from "../services.ts";
import { reviewUrlOf, workloadIdOf } from "../sessions/run-id.ts";
import { recordFinding } from "../storage/sessions/findings.ts";
import type { SessionRow } from "../storage/schema.ts";
import { listSegments } from "../storage/sessions/segments.ts";
import { endSession, findSession, markRecovered } from "../storage/sessions/sessions.ts";
import { spendToken } from "../storage/ledger/spent.ts";
import { ObjectTooLarge } from "./bucket.ts";
import { describeRelayGenesis } from "../relay/relay-genesis.ts";
import { writeManifest } from "./manifests.ts";
import { sealRelay } from "./relay-packing.ts";
import { checkStored, describeSegment } from "./stored-segments.ts";
import { type Tail, readTail, unpackTail } from "./tail.ts";

const RECOVERED_SEGMENT = 1;

export type Recovered = { readonly ok: true; readonly response: RecoverResponse };

export async function recover(request: RecoverRequest, services: Services): Promise<Recovered | Refused> {
  const { database, bucket, subjectTokens, now } = services;
  const subject = await subjectTokens.verify(request.subject_token);
  if (!subject.ok) return subject;
  const { iss, jti } = subject.claims;
  if (!(await spendToken(database, { iss, jti, expiresAt: subject.expiresAt }))) {
    return refuse("subject_token_replayed", `jti ${JSON.stringify(jti)}`);
  }
  // PostgreSQL stores no NUL and fails where one is asked for: no session has it.
  const session = request.session.includes("\0") ? undefined : await findSession(database, request.session);
  const objection = session === undefined ? "there is no such session" : objectTo(session, subject);
  if (session === undefined || objection !== undefined) {
    if (session !== undefined) await note(session, objection ?? "", services);
    return refuse("recovery_refused", `session ${request.session.slice(0, 100)}: ${objection}`);
  }
  const review_url = reviewUrlOf(services.publicUrl, session.run);
  if (session.state === "sealed") return { ok: true, response: { status: "sealed", review_url } };
  const unpacked = await unpackTail(request.tail);
  if (!unpacked.ok) return unpacked;

  // First of all it is over: whatever happens from here on, it grants nothing any more.
  await endSession(database, session.id, {
    to: "recovered",
    from: ["active", "expired", "revoked"],
    at: now(),
  });
  const checks = await checkStored(bucket, session, await listSegments(database, session.id));
  const tail = readTail(unpacked.content, checks);
  const stored = await storeTail(session, tail, services);
  if (!stored.ok) return stored;
  if (tail.fault !== undefined) {
    await note(session, `a part of the tail that was handed in was left out: ${tail.fault}`, services);
  }
  const runner = checks.filter((check) => check.stored).map(({ row }) => describeSegment(row));
  const genesis = describeRelayGenesis(session, services);
  const relay = await sealRelay(session, { reason: "the runner's log was recovered", genesis }, services);
  await writeManifest(session, { status: "recovered", runner, recovered: stored.entries, relay }, services);
  await markRecovered(database, session.id, now());
  return {
    ok: true,
    response: {
      status: "recovered",
      records: tail.lines.length,
      continues_chain: tail.continuesChain,
      review_url,
    },
  };
}

/** Why this job may not recover this session; undefined: it may. */
function objectTo(session: SessionRow, subject: VerifiedSubject): string | undefined {
  if (workloadIdOf(subject.workload) !== session.workload) return "it belongs to another job";
  return session.recovered_at === null ? undefined : "it was recovered before";
}

async function storeTail(
  session: SessionRow,
  { lines, first, last }: Tail,
  { bucket }: Services,
): Promise<{ readonly ok: true; entries: SegmentEntry[] } | Refused> {
  if (first === undefined || last === undefined) return { ok: true, entries: [] };
  const newline = Buffer.from("\n");
  const { body, sha256 } = await packSegment(Buffer.concat(lines.flatMap((line) => [line, newline])));
  const object = segmentObject("recovered", RECOVERED_SEGMENT);
  if ((await bucket.putOnce(session.object_prefix + object, body)) === "exists") {
    // A broker that died at this point left it; anything else was put there by a recovery that came first.
    const present = await bucket.read(session.object_prefix + object, body.length).catch(whenTooLarge);
    if (present?.equals(body) !== true) {
      return refuse("recovery_refused", `session ${session.id}: another tail is stored already`);
    }
  }
  const { seq: first_seq, prev } = first;
  const { seq: last_seq, hash: head } = last;
  return { ok: true, entries: [{ object, bytes: body.length, sha256, first_seq, last_seq, prev, head }] };
}

async function note(session: SessionRow, reason: string, services: Services): Promise<void> {
  await recordFinding(services.database, {
    run: session.run,
    workload: session.workload,
    session: session.id,
    kind: "recovery_refused",
    detail: `Recovery of this session: ${reason}.`,
    time: services.now(),
  });
}

/** What is longer is another tail; a bucket that does not answer says nothing about it, and the job asks again. */
function whenTooLarge(error: unknown): undefined {
  if (!(error instanceof ObjectTooLarge)) throw error;
}
