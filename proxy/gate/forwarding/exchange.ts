/**
 * One request that was let through, from its forwarding to its answer. Exactly one answer goes to the agent and
 * exactly one result to the log, whatever the server, the agent or the clock does first.
 */
import type { ServerLimitName } from "../../limits.ts";
import type { RequestId } from "../../messages/envelope.ts";
import { type Answer, answerFailure, refuseLost } from "../../messages/refusals.ts";
import {
  type ServerAnswer,
  type ServerMessage,
  type ServerRequest,
  withId,
} from "../../messages/server-message.ts";
import { isRecordingFailure } from "../../recorder.ts";
import type { Outcome } from "../../recording.ts";
import type { Asking, Carriage, Loss, Sending, Sink } from "../../upstream/upstream.ts";
import { type AmendedBody, writeAmended } from "./amendment.ts";
import { refuseUnrecorded } from "../calls/unrecorded.ts";
import { collectEvidence, type Evidence, NO_BYTES } from "./evidence.ts";
import type { Kind } from "../named-things.ts";
import type { Sender } from "../sender.ts";
import { StreamPulse } from "../sessions/stream-pulse.ts";
import type { ExchangeOptions } from "./exchange-options.ts";

const AFTER_ANSWER_MS = 1_000;

export class Exchange implements Sink {
  readonly id: RequestId;
  readonly isStanding: boolean;
  readonly #options: ExchangeOptions;
  readonly #startedAt = performance.now();
  #timer: NodeJS.Timeout | undefined;
  readonly #pulse: StreamPulse | undefined;
  #resumeTimer: NodeJS.Timeout | undefined;
  #sending: Sending | undefined;
  #isStream = false;
  /** The server gave an id to resume from. */
  #isResumable = false;
  /** The stream broke off and the answer may come on another one. */
  #isDetached = false;
  #isOver = false;
  /** Who waits for the answer to be decided. */
  readonly #admitting: (() => void)[] = [];

  constructor(options: ExchangeOptions) {
    this.#options = options;
    const { request, timeoutMs, pulse, reply } = options;
    this.id = request.id;
    this.isStanding = timeoutMs === undefined;
    reply.onGone(() => this.#agentLeft());
    if (timeoutMs === undefined) {
      this.#pulse = new StreamPulse(pulse, {
        beat: () => reply.sendComment(),
        idle: () => this.#exceed("stream_idle", "cancelled", "Nothing came on the stream for too long"),
      });
    } else {
      const late = (): void => this.#exceed("call_time", "timeout", "The call took too long");
      this.#timer = setTimeout(late, timeoutMs);
    }
  }

  /** Whether an answer to `id` may still come on a stream that is not its own. */
  awaits(id: RequestId | null): boolean {
    return this.#isDetached && !this.#isOver && id === this.#options.wireId;
  }

  /** What it asks of the agent's side is decided once, before anything of it goes on. */
  admit(answer: ServerAnswer, then: () => void): void {
    const { admitAnswer, wireId } = this.#options;
    if (admitAnswer === undefined || this.#isOver || (answer.id !== wireId && answer.id !== null)) {
      then();
    } else if (this.#admitting.push(then) === 1) {
      admitAnswer(answer, () => this.#admitting.splice(0).forEach((go) => go()));
    }
  }

  start(send: (sink: Sink) => Sending): void {
    const sending = send(this);
    if (this.#isOver) {
      sending.leave();
    } else {
      this.#sending = sending;
    }
  }

  opened(): void {
    this.#isStream = true;
    this.#options.reply.openStream();
    this.#options.notice.opened();
  }

  /** What an agent gets of these lists is another now: any agent, or this one. */
  announceChanged(kinds: ReadonlySet<Kind>, to?: Sender): void {
    this.#options.notice.announce(kinds, to);
  }

  filler({ eventId, retry }: Carriage): void {
    this.#pulse?.heard();
    if (eventId === undefined && retry === undefined) {
      this.#options.reply.sendComment();
      return;
    }
    this.#isResumable ||= eventId !== undefined && this.#options.resumeGraceMs !== undefined;
    void this.#options.reply.sendEvent({ data: "", id: eventId, retry });
  }

  asked(request: ServerRequest, { carriage, answer }: Asking): Promise<void> | undefined {
    this.#isResumable ||= carriage.eventId !== undefined && this.#options.resumeGraceMs !== undefined;
    const { eventId: id, retry } = carriage;
    const send = (data: string): Promise<void> | undefined =>
      this.#options.reply.sendEvent({ data, id, retry });
    return this.#options.ask(request, { stream: this, send, answer, isOpen: !this.#isOver });
  }

  message(message: Exclude<ServerMessage, ServerRequest>, carriage: Carriage): Promise<void> | undefined {
    if (this.#isOver) {
      this.#options.messageDropped();
      return undefined;
    }
    this.#isResumable ||= carriage.eventId !== undefined && this.#options.resumeGraceMs !== undefined;
    this.#pulse?.heard();
    if (message.kind === "notification") {
      const { reply, notice, hearing, inspecting } = this.#options;
      const heard = hearing.hear(message);
      const data = heard === undefined ? undefined : inspecting.pass(heard)?.text;
      const { eventId: id, retry } = carriage;
      const sent = data === undefined ? undefined : reply.sendEvent({ data, id, retry });
      notice.heard(message.method);
      return sent;
    }
    // An HTTP error may come without the id of what it answers.
    const isOwn =
      message.id === this.#options.wireId || (message.id === null && carriage.status !== undefined);
    if (!isOwn) {
      this.#options.messageDropped();
      return undefined;
    }
    if (carriage.status !== undefined && carriage.status >= 400) {
      this.#options.answeredStatus(carriage.status);
    }
    const { status, text, bytes } = this.resolve(message);
    this.#options.reply.finish(status ?? carriage.status ?? 200, bytes ?? text, carriage.eventId);
    return undefined;
  }

  /** The answer as the agent gets it, amended and on the log; `status` when it is the proxy's own. */
  resolve(answer: ServerAnswer): AmendedBody {
    const { callId, amend, request, inspecting } = this.#options;
    const evidence = callId === undefined ? NO_BYTES : collectEvidence(answer);
    try {
      const amended = inspecting.passAnswer(request, amend(withId(answer, request.id)));
      this.#settle(amended.outcome, evidence);
      return writeAmended(amended);
    } catch (error) {
      if (isRecordingFailure(error)) {
        this.#end();
        return refuseUnrecorded(this.#options);
      }
      return this.#answerSurprise(error);
    }
  }

  status(status: number): void {
    this.#options.answeredStatus(status);
    this.#fail(
      "error",
      `The server "${this.#options.server}" answered with HTTP ${status}`,
      status < 400 ? 200 : status,
    );
  }

  ended(): void {
    if (this.#isOver) {
      clearTimeout(this.#timer);
    }
    this.#breakOff({ code: "closed", detail: "no answer" });
  }

  failed(loss: Loss): void {
    if (!this.#isOver) {
      this.#options.lost(loss);
    }
    this.#breakOff(loss);
  }

  /** The agent asked for it: the server is told, and there is nothing more to wait for. */
  cancel(reason?: string): void {
    this.#giveUp("cancelled", "The call was cancelled", reason);
  }

  #agentLeft(): void {
    if (this.#isResumable && !this.#isOver) {
      this.#detach();
      this.#sending?.leave();
    } else {
      this.cancel();
    }
  }

  #breakOff(loss: Loss): void {
    if (this.#isOver) {
      return;
    }
    if (this.#isResumable && loss.code === "closed") {
      this.#detach();
      this.#options.reply.finishEmpty(200);
      return;
    }
    const { server, request, era } = this.#options;
    const refusal =
      request.method === "tools/call"
        ? refuseLost({ id: request.id, era, kind: "tool" }, server, loss)
        : undefined;
    this.#fail("error", refusal ?? `The server "${server}" gave no answer (${loss.code}: ${loss.detail})`);
  }

  /** The agent can come back for the answer (`Last-Event-ID`); one that does not has left. */
  #detach(): void {
    this.#isDetached = true;
    this.#resumeTimer ??= setInterval(() => {
      if (!this.#options.isAwaited()) {
        this.cancel();
      }
    }, this.#options.resumeGraceMs);
  }

  #exceed(limit: ServerLimitName, outcome: Outcome, message: string): void {
    this.#options.recording.noteLimit(this.#options.server, limit);
    this.#giveUp(outcome, message);
  }

  #giveUp(outcome: Outcome, message: string, reason?: string): void {
    if (!this.#isOver) {
      this.#sending?.cancel(reason);
      this.#fail(outcome, message);
    }
  }

  #fail(outcome: Outcome, said: string | Answer, status = 200): void {
    if (this.#isOver) {
      return;
    }
    if (this.isStanding && this.#options.reply.isStreaming) {
      // A subscription that ends without an answer: the client may open it again.
      this.#end();
      this.#options.reply.finishEmpty(200);
      return;
    }
    this.#options.reply.finish(status, this.#conclude(outcome, said).text);
  }

  #conclude(outcome: Outcome, said: string | Answer): Answer {
    try {
      this.#settle(outcome, NO_BYTES);
      return typeof said === "string" ? answerFailure(this.#options.request.id, said) : said;
    } catch (error) {
      if (!isRecordingFailure(error)) {
        throw error;
      }
      return refuseUnrecorded(this.#options);
    }
  }

  /** What goes wrong with one answer must not take the others down. */
  #answerSurprise(error: unknown): Answer {
    const { recording, server } = this.#options;
    const name = error instanceof Error ? error.name : "unknown";
    recording.noteRepeated("internal_error", server, { server, error: name });
    return this.#conclude("error", "Internal error");
  }

  #settle(outcome: Outcome, evidence: Evidence): void {
    const { callId, recording, inspecting } = this.#options;
    this.#end();
    if (callId !== undefined) {
      const duration_ms = Math.round(performance.now() - this.#startedAt);
      const found = inspecting.conclude(callId);
      recording.recordResult({ call: callId, outcome, duration_ms, ...evidence, ...found });
    }
  }

  #end(): void {
    if (this.#isOver) {
      return;
    }
    this.#isOver = true;
    clearTimeout(this.#timer);
    clearInterval(this.#resumeTimer);
    this.#pulse?.stop();
    if (this.#isStream) {
      // The answer should end the stream; a server that holds it open holds nothing of ours for long.
      this.#timer = setTimeout(() => this.#sending?.leave(), AFTER_ANSWER_MS).unref();
    }
    this.#options.over();
  }
}
