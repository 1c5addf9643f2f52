/**
 * Reads runs for people: the list of them, one run, one log. Everything comes from the database and the bucket,
 * and is verified as it is read; only the list remembers, for half a minute.
 */
import type { JSONWebKeySet } from "jose";
import type { AuditRecord } from "../../audit/record.ts";
import type { Bucket } from "../custody/bucket.ts";
import type { Queries, SessionRow } from "../storage/schema.ts";
import { describeRow } from "./findings.ts";
import { RecentSummaries } from "./recent-summaries.ts";
import {
  countRunSessions,
  type LatestRun,
  listAttempts,
  listLatestRuns,
  listRunFindings,
  listRunSessions,
  readSessionRows,
  type RunCursor,
} from "./run-rows.ts";
import { composeRunView, describeRun, type RunParts, summarizeRun } from "./run-view.ts";
import { readSessionLog, type SessionLog } from "./session-log.ts";
import { reviewSession, type SessionReview } from "./session-view.ts";
import { Turnstile } from "./turnstile.ts";
import type { RunList, RunStatus, RunSummary, RunView, SessionStatus } from "./view.ts";

const RUNS_PER_PAGE = 25;
/** With a filter by status that few runs fit: how many are read for one page. */
const MAX_RUNS_READ = 100;
/** Of one run; a matrix of jobs has as many sessions as jobs. */
const MAX_SESSIONS_SHOWN = 40;
/** Of all sessions of a run, in each stream; the rest is verified and counted, and left to the command line. */
const MAX_RECORDS_PER_RUN = 30_000;
/** Of one log that is read back. */
const MAX_RECORDS_PER_LOG = 200_000;
/** Logs that are read at a time, whoever asks. */
const READERS = 4;

export interface RunReviewSources {
  readonly database: Queries;
  readonly bucket: Bucket;
  readonly checkpointKeys: () => Promise<JSONWebKeySet>;
  readonly publicUrl: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export interface RunListRequest {
  readonly repository?: string | undefined;
  readonly status?: RunStatus | undefined;
  /** `next` of the list before. */
  readonly before?: string | undefined;
}

/** The records of one session's log that verify. */
export interface ReadableLog {
  readonly status: SessionStatus;
  readonly runner: readonly AuditRecord[];
  readonly recovered: readonly AuditRecord[];
  /** How many of each are left out for their number. */
  readonly leftOut: Readonly<Record<"runner" | "recovered", number>>;
}

export class RunReviews {
  readonly #sources: RunReviewSources;
  readonly #summaries: RecentSummaries;
  readonly #turnstile = new Turnstile(READERS);

  constructor(sources: RunReviewSources) {
    this.#sources = sources;
    this.#summaries = new RecentSummaries(sources.now);
  }

  /** Undefined: there is no such run. */
  async readRun(run: string, offset: number): Promise<RunView | undefined> {
    const parts = await this.#readParts(run);
    return parts && composeRunView(parts, offset);
  }

  /** Undefined: there is no such session. */
  async readLog(session: string): Promise<ReadableLog | undefined> {
    const { database } = this.#sources;
    const row = await database
      .selectFrom("sessions")
      .selectAll()
      .where("id", "=", session)
      .executeTakeFirst();
    if (row === undefined) {
      return undefined;
    }
    const { status, verdict } = await this.#readLog(row, MAX_RECORDS_PER_LOG);
    const { records, recovered, recordCount, recoveredCount } = verdict;
    const leftOut = { runner: recordCount - records.length, recovered: recoveredCount - recovered.length };
    return { status, runner: records, recovered, leftOut };
  }

  async listRuns({ repository, status, before }: RunListRequest): Promise<RunList> {
    const { database } = this.#sources;
    const runs: RunSummary[] = [];
    let cursor = before === undefined ? undefined : parseCursor(before);
    for (let read = 0; read < MAX_RUNS_READ; read += RUNS_PER_PAGE) {
      const latest = await listLatestRuns(database, { before: cursor, repository, limit: RUNS_PER_PAGE + 1 });
      const batch = latest.slice(0, RUNS_PER_PAGE);
      const summaries = await Promise.all(batch.map((run) => this.#summarize(run)));
      for (const [n, summary] of summaries.entries()) {
        cursor = batch[n];
        if (summary !== undefined && (status === undefined || summary.status === status)) {
          runs.push(summary);
        }
        if (runs.length === RUNS_PER_PAGE) {
          const more = n + 1 < latest.length;
          return { runs, next: more && cursor !== undefined ? writeCursor(cursor) : null };
        }
      }
      if (latest.length <= RUNS_PER_PAGE) {
        return { runs, next: null };
      }
    }
    return { runs, next: cursor === undefined ? null : writeCursor(cursor) };
  }

  async #summarize({ run }: LatestRun): Promise<RunSummary | undefined> {
    return this.#summaries.get(run, async () => {
      const parts = await this.#readParts(run);
      return parts && summarizeRun(parts);
    });
  }

  async #readParts(run: string): Promise<RunParts | undefined> {
    const { database } = this.#sources;
    const sessions = await listRunSessions(database, run, MAX_SESSIONS_SHOWN);
    const [first] = sessions;
    if (first === undefined) {
      return undefined;
    }
    const maxRecords = Math.floor(MAX_RECORDS_PER_RUN / sessions.length);
    const reviews = await Promise.all(sessions.map((session) => this.#review(session, maxRecords)));
    const [rows, count, findings] = [
      await readSessionRows(database, first),
      await countRunSessions(database, run),
      await listRunFindings(database, run),
    ];
    const attempts = await listAttempts(database, rows.workload);
    return {
      run: describeRun(
        rows,
        reviews.map((review) => review.view.ended_at),
      ),
      attempts: attempts.map(({ run, run_attempt }) => ({ id: run, run_attempt })),
      reviews,
      moreSessions: count - sessions.length,
      findings: findings.map(describeRow),
    };
  }

  async #review(session: SessionRow, maxRecords: number): Promise<SessionReview> {
    const { database, publicUrl } = this.#sources;
    const rows = await readSessionRows(database, session);
    return reviewSession({ rows, log: await this.#readLog(session, maxRecords), publicUrl });
  }

  async #readLog(session: SessionRow, maxRecords: number): Promise<SessionLog> {
    const { database, bucket, checkpointKeys, now } = this.#sources;
    const keys = await checkpointKeys();
    return this.#turnstile.run(() =>
      readSessionLog({ database, bucket, keys, session, maxRecords, now: now() }),
    );
  }
}

function parseCursor(text: string): RunCursor | undefined {
  const [, createdAt, session] = /^([0-9]+)\.(.+)$/.exec(text) ?? [];
  return createdAt === undefined || session === undefined
    ? undefined
    : { createdAt: Number(createdAt), session };
}

function writeCursor({ createdAt, session }: RunCursor): string {
  return `${createdAt}.${session}`;
}
