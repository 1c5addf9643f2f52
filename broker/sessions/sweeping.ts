/**
 * The sweeper: marks sessions that ran out of time and forgets tokens and proofs that are too old to be accepted anyway.
 * Nothing depends on it: every check compares times itself.
 */
import type { Services } from "../services.ts";
import { expireSessions } from "../storage/sessions.ts";
import { forgetSpent } from "../storage/spent.ts";

const INTERVAL_MS = 15_000;

export interface Sweeper {
  /** Also called by itself every 15 seconds. */
  sweep(): Promise<void>;
  stop(): void;
}

export function startSweeper(
  { database, now }: Pick<Services, "database" | "now">,
  report: (error: unknown) => void,
): Sweeper {
  const sweep = async (): Promise<void> => {
    await forgetSpent(database, now());
    await expireSessions(database, now());
  };
  const timer = setInterval(() => {
    sweep().catch(report);
  }, INTERVAL_MS);
  timer.unref();
  return { sweep, stop: () => clearInterval(timer) };
}
