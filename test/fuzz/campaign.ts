/**
 * Worlds, one after the other in a few lanes, until the time is up or one of them has faults; that one is then made as
 * small as the time allows. The same seed and path show it again.
 */
import fc from "../support/properties.ts";
import { live, type Tally, type World, worlds } from "./world.ts";

export interface Campaign {
  readonly seed: number;
  readonly durationMs: number;
  /** Where a lane was when it found something: only that is tried then. */
  readonly path?: string | undefined;
  progress?(line: string): void;
}

/** What shows the faults again that a lane found. */
interface Failure {
  readonly seed: number;
  readonly path: string;
  readonly text: string;
}

export interface Outcome extends Tally {
  readonly worlds: number;
  readonly failures: readonly Failure[];
}

/** Worlds wait more than they work. */
const LANES = 4;
const REPORT_MS = 30_000;

export async function runCampaign({ seed, durationMs, path, progress }: Campaign): Promise<Outcome> {
  const total = { worlds: 0, moves: 0, arrivals: 0, allowed: 0, denied: 0 };
  let reportedAt = performance.now();
  const property = fc.asyncProperty(worlds, async (world) => {
    const tally = await live(world);
    total.worlds++;
    for (const name of ["moves", "arrivals", "allowed", "denied"] as const) {
      total[name] += tally[name];
    }
    if (performance.now() - reportedAt > REPORT_MS) {
      reportedAt = performance.now();
      progress?.(describe(total));
    }
  });
  const lanes = Array.from({ length: path === undefined ? LANES : 1 }, (_, lane) =>
    fc.check(property, {
      seed: seed + lane,
      ...(path !== undefined && { path }),
      numRuns: Number.MAX_SAFE_INTEGER,
      interruptAfterTimeLimit: durationMs,
      markInterruptAsFailure: false,
      ...(path !== undefined && { endOnFailure: true }),
    }),
  );
  const failed = (await Promise.all(lanes)).filter((details) => details.failed);
  const failures = failed.map((details) => ({
    ...{ seed: details.seed, path: details.counterexamplePath ?? "" },
    text: describeFailure(details),
  }));
  return { ...total, failures };
}

export function describe({
  worlds: lived,
  moves,
  arrivals,
  allowed,
  denied,
}: Omit<Outcome, "failures">): string {
  return `${lived} worlds, ${moves} moves, ${arrivals} messages reached a server; calls: ${allowed} allowed, ${denied} denied`;
}

function describeFailure(failed: fc.RunDetails<[World]>): string {
  const { errorInstance: error, counterexample } = failed;
  return `${error instanceof Error ? error.message : String(error)}\nin the world ${JSON.stringify(counterexample?.[0])}`;
}
