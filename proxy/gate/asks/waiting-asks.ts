/**
 * What was asked of agents and is not answered: each belongs to one agent, ends exactly once, and is on the log with
 * its end. Whoever answers what was never asked of him finds nothing here.
 */
import type { RequestId } from "../../messages/envelope.ts";
import { isRecordingFailure } from "../../recorder.ts";
import type { Outcome, Recording } from "../../recording.ts";
import { type Evidence, NO_BYTES } from "../forwarding/evidence.ts";
import type { AdmittedAsk } from "./ask-decision.ts";
import type { Session } from "../sessions/session.ts";
import type { SharedAsks } from "./shared-asks.ts";

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
  /** Absent where it was asked in another process, which looks after the time. */
  readonly timer?: NodeJS.Timeout;
}

export interface WaitingAsksOptions {
  readonly recording: Recording;
  readonly timeoutMs: number;
  readonly shared: SharedAsks | undefined;
}

const MAX_KNOWN = 10_000;

export class WaitingAsks {
  readonly #options: WaitingAsksOptions;
  readonly #asks = new Set<WaitingAsk>();
  readonly #known = new Set<string>();

  constructor(options: WaitingAsksOptions) {
    this.#options = options;
  }

  /** Whether it was asked here before, answered or not. */
  isKnown(callId: string): boolean {
    return this.#known.has(callId);
  }

  hasRoom(agent: string, max: number): boolean {
    return this.#list((ask) => ask.agent === agent).length < max;
  }

  add(key: string, asked: OpenAsk): void {
    const timer = setTimeout(() => this.#abandon([ask], "timeout"), this.#options.timeoutMs).unref();
    const ask: WaitingAsk = { ...asked, key, startedAt: performance.now(), timer };
    this.#asks.add(ask);
    this.#known.add(ask.callId);
    const [oldest = ""] = this.#known.size > MAX_KNOWN ? this.#known : [];
    this.#known.delete(oldest);
  }

  /** The one that waits longest. */
  find(isMeant: (ask: WaitingAsk) => boolean): WaitingAsk | undefined {
    return this.#list(isMeant)[0];
  }

  /** None of them waits any more; `then` gets those that nobody else has ended, which its caller must end. */
  claim(asks: readonly WaitingAsk[], then: (own: readonly WaitingAsk[]) => void): void {
    const here = asks.filter((ask) => this.#asks.delete(ask));
    here.forEach(({ timer }) => clearTimeout(timer));
    const { shared } = this.#options;
    if (shared === undefined || asks.length === 0) {
      then(here);
      return;
    }
    shared.claim(
      asks.map(({ callId }) => callId),
      (own) => then(asks.filter((_, index) => own[index] === true)),
    );
  }

  /** One that was claimed. Throws `RecordingFailed`: what the log does not hold is not passed on. */
  end(ask: WaitingAsk, outcome: Outcome, evidence: Evidence = NO_BYTES): void {
    const duration_ms = Math.round(performance.now() - ask.startedAt);
    const found = ask.inspecting.conclude(ask.callId);
    this.#options.recording.recordResult({
      ...{ call: ask.callId, outcome, duration_ms, ...evidence, ...found },
    });
  }

  /** Nobody will answer any more. */
  abandon(isMeant: (ask: WaitingAsk) => boolean, outcome: Outcome): void {
    this.#abandon(this.#list(isMeant), outcome);
  }

  /** One that was claimed. */
  giveUp(ask: WaitingAsk, outcome: Outcome): void {
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

  #abandon(asks: readonly WaitingAsk[], outcome: Outcome): void {
    if (asks.length > 0) {
      this.claim(asks, (own) => own.forEach((ask) => this.giveUp(ask, outcome)));
    }
  }

  #list(isMeant: (ask: WaitingAsk) => boolean): WaitingAsk[] {
    return [...this.#asks].filter(isMeant);
  }
}
