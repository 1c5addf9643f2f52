/**
 * What was asked of agents and is not answered: each belongs to one agent, ends exactly once, and is on the log with
 * its end. Whoever answers what was never asked of him finds nothing here.
 */
import type { RequestId } from "../messages/envelope.ts";
import { isRecordingFailure } from "../recorder.ts";
import type { Outcome, Recording } from "../recording.ts";
import { type Evidence, NO_BYTES } from "./evidence.ts";
import type { AdmittedAsk } from "./ask-decision.ts";
import type { Session } from "./session.ts";

interface OpenAsk extends AdmittedAsk {
  readonly agent: string;
  readonly session: Session | undefined;
  /** The id that the server chose, what it sent under it and on which streams; absent where it has no id of its own. */
  readonly request?: { readonly id: RequestId; readonly text: string; readonly saidOn: Set<object> };
  /** To the server, one line of JSON; absent where it waits for none. */
  answer?(text: string): void;
  /** When there will be no answer, and the server still waits for one. */
  abandoned?(): void;
}

export interface WaitingAsk extends OpenAsk {
  readonly key: string;
  readonly startedAt: number;
  readonly timer: NodeJS.Timeout;
}

export class WaitingAsks {
  readonly #recording: Recording;
  readonly #timeoutMs: number;
  readonly #asks = new Set<WaitingAsk>();

  constructor(recording: Recording, timeoutMs: number) {
    this.#recording = recording;
    this.#timeoutMs = timeoutMs;
  }

  hasRoom(agent: string, max: number): boolean {
    return this.#list((ask) => ask.agent === agent).length < max;
  }

  add(key: string, asked: OpenAsk): void {
    const timer = setTimeout(() => this.#abandon(ask, "timeout"), this.#timeoutMs).unref();
    const ask: WaitingAsk = { ...asked, key, startedAt: performance.now(), timer };
    this.#asks.add(ask);
  }

  /** The one that waits longest. */
  find(isMeant: (ask: WaitingAsk) => boolean): WaitingAsk | undefined {
    return this.#list(isMeant)[0];
  }

  /** Throws `RecordingFailed`: what the log does not hold is not passed on. */
  end(ask: WaitingAsk, outcome: Outcome, evidence: Evidence = NO_BYTES): void {
    if (this.#asks.delete(ask)) {
      clearTimeout(ask.timer);
      const duration_ms = Math.round(performance.now() - ask.startedAt);
      const found = ask.inspecting.conclude(ask.callId);
      this.#recording.recordResult({ call: ask.callId, outcome, duration_ms, ...evidence, ...found });
    }
  }

  /** Nobody will answer any more. */
  abandon(isMeant: (ask: WaitingAsk) => boolean, outcome: Outcome): void {
    this.#list(isMeant).forEach((ask) => this.#abandon(ask, outcome));
  }

  #abandon(ask: WaitingAsk, outcome: Outcome): void {
    try {
      this.end(ask, outcome);
    } catch (error) {
      // Nothing goes on to anybody: there is nothing that would depend on the record.
      if (!isRecordingFailure(error)) {
        throw error;
      }
    }
    if (outcome !== "cancelled") {
      ask.abandoned?.();
    }
  }

  #list(isMeant: (ask: WaitingAsk) => boolean): WaitingAsk[] {
    return [...this.#asks].filter(isMeant);
  }
}
