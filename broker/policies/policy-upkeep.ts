/**
 * Keeps the policies in force those of the directory, and running sessions to them. What cannot be loaded is said once,
 * with every problem, for each edit that brings it about.
 */
import type { FastifyBaseLogger } from "fastify";
import type { Problem } from "../../policies/documents/problem.ts";
import type { Metrics } from "../operations/metrics.ts";
import type { Services } from "../services.ts";
import { holdAllToDocuments } from "../sessions/document-changes.ts";
import { watchDirectory } from "./directory-watch.ts";
import type { LivePolicies, Reload } from "./live-policies.ts";

export interface PolicyUpkeep {
  /** Reads the directory now; resolves when what it says is in force, also for running sessions. */
  reload(): Promise<void>;
  stop(): void;
}

export interface UpkeepParts {
  readonly live: LivePolicies;
  readonly services: Services;
  readonly metrics: Metrics;
  readonly log: FastifyBaseLogger;
}

export function keepPolicies({ live, services, metrics, log }: UpkeepParts): PolicyUpkeep {
  const stopped = new AbortController();
  let said = "";

  const tell = (reload: Exclude<Reload, { outcome: "unchanged" }>): void => {
    if (reload.outcome === "loaded") {
      said = "";
      const { digest, policies } = reload.snapshot;
      const repositories = policies.repositories.size;
      log.info({ policies: digest, repositories }, "policies loaded");
      for (const { message, ...place } of reload.warnings) log.warn({ ...place }, message);
      return;
    }
    const { problems } = reload.broken;
    const saying = JSON.stringify(problems);
    if (saying === said) return;
    said = saying;
    const { digest } = services.policies.current;
    log.error(
      { directory: live.directory, policies: digest, problems: problems.map(describe) },
      "the policy directory does not load: what was loaded before stays in force",
    );
  };
  const reload = async (): Promise<void> => {
    try {
      const outcome = await live.reload(stopped.signal);
      if (outcome.outcome === "unchanged") return;
      metrics.countPolicyLoad(outcome.outcome === "loaded" ? "loaded" : "refused");
      tell(outcome);
      if (outcome.outcome === "loaded") {
        const { ended, narrowed } = await holdAllToDocuments(services);
        if (ended + narrowed > 0) log.info({ ended, narrowed }, "running sessions were held to the policies");
      }
    } catch (error) {
      // A session that could not be looked at now is looked at when its proxy asks.
      if (!stopped.signal.aborted) log.error({ err: error }, "the policies could not be brought up to date");
    }
  };
  const watch = watchDirectory(live.directory, reload);
  return {
    reload,
    stop: () => {
      watch.stop();
      stopped.abort();
    },
  };
}

function describe({ file, line, column, key, message }: Problem): string {
  return `${file}:${line}:${column}: ${key === "" ? "" : `${key}: `}${message}`;
}
