/**
 * The sweeper: marks sessions that ran out of time and forgets tokens and proofs that are too old to be accepted anyway.
 * Nothing depends on it: every check compares times itself. Every replica has one, and they share the work.
 */
import type { Services } from "../services.ts";
import { expireRows } from "../storage/expiry.ts";

const INTERVAL_MS = 15_000;

export interface Sweeper {
  /** Also called by itself every 15 seconds. */
  sweep(): Promise<void>;
  stop(): void;
}

export interface SweeperReports {
  /** Told how many sessions ran out. */
  readonly onExpired: (sessions: number) => void;
  readonly onError: (error: unknown) => void;
}

export function startSweeper(
  { database, now }: Pick<Services, "database" | "now">,
  { onExpired, onError }: SweeperReports,
): Sweeper {
  let running: Promise<void> | undefined;
  const sweep = async (): Promise<void> => {
    running ??= expireRows(database, now())
      .then(onExpired)
      .finally(() => {
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
