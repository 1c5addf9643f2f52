/**
 * A policy that changes while the session runs: every answer of the broker says what the session has now, and what
 * differs is fetched, compiled and put in force. While no answer comes because there is nothing to say, it is asked for.
 * What cannot be put in force ends the session: what was taken away is not granted any longer.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { EntryOf } from "../../audit/record.ts";
import type { SessionDocument } from "../../broker/contract.ts";
import { describeLoss } from "../../policies/change/loss.ts";
import type { CompiledPolicy } from "../../policies/decision.ts";
import type { SessionClient } from "../wire/broker-client.ts";
import { PatienceExhausted } from "../wire/retry.ts";

export interface PolicyRefreshOptions {
  readonly client: SessionClient;
  readonly document: SessionDocument;
  /** Throws where the two sides do not agree on what the policy is. */
  readonly compile: (document: SessionDocument) => Promise<CompiledPolicy>;
  readonly apply: (policy: CompiledPolicy) => void;
  readonly note: (event: EntryOf<"event">) => void;
  /** Whether the session still grants anything. */
  readonly isActive: () => boolean;
  /** Ends the session for good. */
  readonly end: (reason: string) => void;
  readonly signal: AbortSignal;
  /** For tests. */
  readonly pollMs?: number;
}

export interface PolicyRefresh {
  /** What an answer of the broker says that the session has. */
  hear(digest: string): void;
}

/** An idle session learns of a change within this time, while the broker answers. */
const POLL_MS = 30_000;
const READ_PATIENCE_MS = 10_000;
const FIRST_PAUSE_MS = 250;
const MAX_PAUSE_MS = 4_000;

export function startPolicyRefresh(options: PolicyRefreshOptions): PolicyRefresh {
  const { client, compile, apply, note, isActive, end, signal, pollMs = POLL_MS } = options;
  let { policy: held } = options.document;
  let heardAtMs = performance.now();
  let refreshing: Promise<void> | undefined;

  const takeOver = async (document: SessionDocument): Promise<void> => {
    const { policy } = document;
    if (policy.digest === held.digest) return;
    const compiled = await compile(document);
    if (signal.aborted) return;
    const lost = describeLoss(held.source, policy.source);
    const detail = { from: held.digest, to: policy.digest, lost };
    // The record first: what stands after it in the log was decided by the new one.
    note({ kind: "event", event: "policy_changed", severity: "warning", detail });
    apply(compiled);
    held = policy;
  };
  const read = async (): Promise<void> => {
    try {
      const reply = await client.read({
        untilMs: performance.now() + READ_PATIENCE_MS,
        firstPauseMs: FIRST_PAUSE_MS,
        maxPauseMs: MAX_PAUSE_MS,
        signal,
      });
      heardAtMs = performance.now();
      if (reply.ok) await takeOver(reply.value);
      else if (reply.error === "session_over") end(`the broker ended the session: ${reply.sentence}`);
    } catch (cause) {
      // A broker that does not answer has said nothing new; it is asked again.
      if (cause instanceof PatienceExhausted || signal.aborted) return;
      end(
        `its policy changed and could not be taken over: ${cause instanceof Error ? cause.message : "unknown"}`,
      );
    }
  };
  const refresh = async (): Promise<void> => {
    refreshing ??= read().finally(() => {
      refreshing = undefined;
    });
    return refreshing;
  };
  const poll = async (): Promise<void> => {
    while (!signal.aborted && isActive()) {
      const waitMs = heardAtMs + pollMs - performance.now();
      if (waitMs > 0)
        await sleep(Math.ceil(waitMs), undefined, { signal, ref: false }).catch(() => undefined);
      else {
        heardAtMs = performance.now();
        await refresh();
      }
    }
  };
  void poll();
  return {
    hear: (digest) => {
      heardAtMs = performance.now();
      if (digest !== held.digest && !signal.aborted) void refresh();
    },
  };
}
