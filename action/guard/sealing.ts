/**
 * Sealing: the last records, the last segments, and the broker's word that nothing of the log is missing.
 * It happens once, whoever asks for it and however often, and takes a bounded time.
 */
import type { SessionClient } from "../wire/broker-client.ts";
import { PatienceExhausted } from "../wire/retry.ts";
import type { SessionLog } from "./session-log.ts";

export type Sealed = { readonly status: "sealed" } | { readonly status: "unsealed"; readonly reason: string };

export interface SealingOptions {
  readonly client: SessionClient;
  readonly log: SessionLog;
  /** Takes no more calls; the results of those in flight are recorded when it resolves. */
  readonly closeProxy: () => Promise<void>;
  /** For everything after the proxy is closed. */
  readonly timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 60_000;
/** The broker may miss segments that a bucket promised to keep; one that loses them again will not get better. */
const MAX_ROUNDS = 3;

export async function sealLog(options: SealingOptions, reason: string): Promise<Sealed> {
  const { client, log } = options;
  const { shipping } = log;
  const timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  await options.closeProxy();
  const timedOut = `the log could not be stored within ${timeoutMs / 1000} s`;
  const untilMs = performance.now() + timeoutMs;
  const timer = setTimeout(() => shipping.halt(timedOut), timeoutMs);
  try {
    await shipping.drain();
    if (shipping.haltedBy !== undefined) return unsealed(shipping.haltedBy);
    const last = log.record({ kind: "seal", reason, totals: log.tally.report().totals });
    await shipping.drain();
    for (let round = 1; round <= MAX_ROUNDS && shipping.haltedBy === undefined; round += 1) {
      const request = { segments: shipping.segments, last_seq: last.seq, head: last.hash };
      const reply = await client.seal(request, { untilMs, firstPauseMs: 250, maxPauseMs: 4_000 });
      if (!reply.ok) return unsealed(`the broker did not seal it: ${reply.sentence}`);
      if (reply.value.status === "sealed") return { status: "sealed" };
      for (const segment of reply.value.segments) {
        if (!(await shipping.storeAgain(segment))) {
          return unsealed(`segment ${segment} is not in the bucket and could not be stored again`);
        }
      }
    }
    return unsealed(shipping.haltedBy ?? "the bucket does not keep what is stored in it");
  } catch (cause) {
    if (cause instanceof PatienceExhausted) return unsealed(`the broker did not answer: ${cause.message}`);
    return unsealed(cause instanceof Error ? cause.message : "it failed");
  } finally {
    clearTimeout(timer);
  }
}

function unsealed(reason: string): Sealed {
  return { status: "unsealed", reason };
}
