/**
 * One request that was let through, from its forwarding to its answer. Exactly one answer goes to the agent and
 * exactly one result to the log, whatever the server, the agent or the clock does first.
 */
import type { Reply } from "../front/reply.ts";
import type { ClientRequest, RequestId } from "../messages/envelope.ts";
import {
  type Answer,
  answerFailure,
  refuseUnrecorded,
  refuseUnrecordedRequest,
} from "../messages/refusals.ts";
import type { Era } from "../messages/revision.ts";
import {
  type ServerAnswer,
  type ServerMessage,
  type ServerRequest,
  withId,
} from "../messages/server-message.ts";
import { RecordingFailed } from "../recorder.ts";
import type { Outcome, Recording } from "../recording.ts";
import type { Carriage, Loss, Sending, Sink } from "../upstream/upstream.ts";
import type { Amend } from "./amendment.ts";
import type { ChangeNotice } from "./change-notice.ts";
import { collectEvidence, type Evidence, NO_BYTES } from "./evidence.ts";
import { passesFromServer } from "./passing.ts";

export interface ExchangeOptions {
  readonly request: ClientRequest;
  /** The id that the server knows the request by. */
  readonly wireId: RequestId;
  readonly era: Era;
  readonly server: string;
  readonly reply: Reply;
  readonly amend: Amend;
  readonly recording: Recording;
  /** Of the call that was recorded; the result is recorded with it. */
  readonly callId: string | undefined;
  /** Absent for a subscription, which has no end of its own. */
  readonly timeoutMs: number | undefined;
  /** Between comments on a stream. */
  readonly keepAliveMs: number;
  /** How long a stream that broke can be asked for again; absent where nothing can be. */
  readonly resumeGraceMs: number | undefined;
  /** Whether the agent has a stream open on which the answer could still come. */
  isAwaited(): boolean;
  lost(loss: Loss): void;
  /** The server answered with a bare status. */
  answeredStatus(status: number): void;
  messageDropped(): void;
  readonly notice: ChangeNotice;
  /** Once, when nothing more can come. */
  over(): void;
}

const AFTER_ANSWER_MS = 1_000;

export class Exchange implements Sink {
  readonly #options: ExchangeOptions;
  readonly #startedAt = performance.now();
  #timer: NodeJS.Timeout | undefined;
  #resumeTimer: NodeJS.Timeout | undefined;
  #sending: Sending | undefined;
  #isStream = false;
  /** The server gave an id to resume from. */
  #isResumable = false;
  /** The stream broke off and the answer may come on another one. */
  #isDetached = false;
  #isOver = false;

  constructor(options: ExchangeOptions) {
    this.#options = options;
    const { timeoutMs, keepAliveMs, reply } = options;
    reply.onGone(() => this.#agentLeft());
    this.#timer =
      timeoutMs === undefined
        ? setInterval(() => reply.sendComment(), keepAliveMs).unref()
        : setTimeout(() => this.#giveUp("timeout", "The call took too long"), timeoutMs);
  }

  /** Whether an answer to `id` may still come on a stream that is not its own. */
  awaits(id: RequestId | null): boolean {
    return this.#isDetached && !this.#isOver && id === this.#options.wireId;
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

  /** What the policy takes away in the middle of a session. */
  announceToolsChanged(): void {
    this.#options.notice.announce();
  }

  filler({ eventId, retry }: Carriage): void {
    if (eventId === undefined && retry === undefined) {
      this.#options.reply.sendComment();
      return;
    }
    this.#isResumable ||= eventId !== undefined && this.#options.resumeGraceMs !== undefined;
    void this.#options.reply.sendEvent({ data: "", id: eventId, retry });
  }

  message(message: Exclude<ServerMessage, ServerRequest>, carriage: Carriage): Promise<void> | undefined {
    if (this.#isOver) {
      this.#options.messageDropped();
      return undefined;
    }
    this.#isResumable ||= carriage.eventId !== undefined && this.#options.resumeGraceMs !== undefined;
    if (message.kind === "notification") {
      const { reply, notice } = this.#options;
      const event = { data: message.text, id: carriage.eventId, retry: carriage.retry };
      const sent = passesFromServer(message.method) ? reply.sendEvent(event) : undefined;
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
    const { status, text } = this.resolve(message);
    this.#options.reply.finish(status ?? carriage.status ?? 200, text, carriage.eventId);
    return undefined;
  }

  /** The answer as the agent gets it, amended and on the log; `status` when it is the proxy's own. */
  resolve(answer: ServerAnswer): { text: string; status?: number } {
    const { callId, amend, request } = this.#options;
    const evidence = callId === undefined ? NO_BYTES : collectEvidence(answer.text);
    try {
      const amended = amend(withId(answer, request.id));
      this.#settle(amended.outcome, evidence);
      return "refusal" in amended ? amended.refusal : { text: amended.message.text };
    } catch (error) {
      if (error instanceof RecordingFailed) {
        this.#end();
        return this.#refuseUnrecorded();
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
    if (this.#isOver) {
      return;
    }
    if (this.#isResumable) {
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
    this.#fail("error", `The server "${this.#options.server}" gave no answer (${loss.code}: ${loss.detail})`);
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

  #giveUp(outcome: Outcome, message: string, reason?: string): void {
    if (!this.#isOver) {
      this.#sending?.cancel(reason);
      this.#fail(outcome, message);
    }
  }

  #fail(outcome: Outcome, message: string, status = 200): void {
    if (this.#isOver) {
      return;
    }
    if (this.#options.timeoutMs === undefined && this.#options.reply.isStreaming) {
      // A subscription that ends without an answer: the client may open it again.
      this.#end();
      this.#options.reply.finishEmpty(200);
      return;
    }
    this.#options.reply.finish(status, this.#conclude(outcome, message).text);
  }

  #conclude(outcome: Outcome, message: string): Answer {
    try {
      this.#settle(outcome, NO_BYTES);
      return answerFailure(this.#options.request.id, message);
    } catch (error) {
      if (!(error instanceof RecordingFailed)) {
        throw error;
      }
      return this.#refuseUnrecorded();
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
    const { callId, recording } = this.#options;
    this.#end();
    if (callId !== undefined) {
      const duration_ms = Math.round(performance.now() - this.#startedAt);
      recording.recordResult({ call: callId, outcome, duration_ms, ...evidence });
    }
  }

  #end(): void {
    if (this.#isOver) {
      return;
    }
    this.#isOver = true;
    clearTimeout(this.#timer);
    clearInterval(this.#resumeTimer);
    if (this.#isStream) {
      // The answer should end the stream; a server that holds it open holds nothing of ours for long.
      this.#timer = setTimeout(() => this.#sending?.leave(), AFTER_ANSWER_MS).unref();
    }
    this.#options.over();
  }

  #refuseUnrecorded(): Answer {
    const { request, era } = this.#options;
    return request.method === "tools/call"
      ? refuseUnrecorded(request.id, era)
      : refuseUnrecordedRequest(request.id);
  }
}
