/**
 * The sweeper: marks sessions that ran out of time, forgets tokens and proofs that are too old to be accepted anyway,
 * brings to the bucket what was relayed for sessions that ended, and removes those that ended longer ago than they are
 * kept.
 * Nothing depends on it: every check compares times itself. Every replica has one, and they share the work.
 */
import type { Services } from "../services.ts";
import { expireRows } from "../storage/sessions/expiry.ts";
import { removeSessions } from "../storage/sessions/retention.ts";

const INTERVAL_MS = 15_000;
const DAY_MS = 24 * 60 * 60_000;

export interface Sweeper {
  /** Also called by itself every 15 seconds. */
  sweep(): Promise<void>;
  stop(): void;
}

export interface SweeperReports {
  /** Told how many sessions ran out. */
  readonly onExpired: (sessions: number) => void;
  /** Told how many were removed, when there were any. */
  readonly onRemoved: (sessions: number) => void;
  readonly onError: (error: unknown) => void;
}

export interface SweeperOptions extends Pick<Services, "database" | "now"> {
  /** Brings to the bucket what was relayed for sessions that ended. */
  readonly packRelays: () => Promise<void>;
  /** How long sessions are kept after their end; infinite: for ever. */
  readonly retentionDays: number;
}

export function startSweeper(
  { database, now, retentionDays, packRelays }: SweeperOptions,
  { onExpired, onRemoved, onError }: SweeperReports,
): Sweeper {
  let running: Promise<void> | undefined;
  const sweepAll = async (): Promise<void> => {
    onExpired(await expireRows(database, now()));
    // A bucket that does not answer keeps nobody from the rest.
    await packRelays().catch(onError);
    if (retentionDays === Number.POSITIVE_INFINITY) return;
    const removed = await removeSessions(database, now() - retentionDays * DAY_MS);
    if (removed > 0) onRemoved(removed);
  };
  const sweep = async (): Promise<void> => {
    running ??= sweepAll().finally(() => {
      running = undefined;
    });
    return running;
  };
  const timer = setInterval(() => {
    sweep().catch(onError);
  }, INTERVAL_MS);
  timer.unref();
  return { sweep, stop: () => clearInterval(timer) };
}
