/**
 * What one request needs on its way to a server and back.
 */
import type { Reply } from "../../front/reply.ts";
import type { ClientRequest, RequestId } from "../../messages/envelope.ts";
import type { ServerAnswer } from "../../messages/server-message.ts";
import type { Era } from "../../messages/revision.ts";
import type { Recording } from "../../recording.ts";
import type { Loss } from "../../upstream/upstream.ts";
import type { Amend } from "./amendment.ts";
import type { ChangeNotice } from "../lists/change-notice.ts";
import type { Hearing } from "../sessions/hearing.ts";
import type { Inspecting } from "./inspecting.ts";
import type { PassAsk } from "../asks/server-request.ts";
import type { PulseBounds } from "../sessions/stream-pulse.ts";

export interface ExchangeOptions {
  readonly request: ClientRequest;
  /** The id that the server knows the request by. */
  readonly wireId: RequestId;
  readonly era: Era;
  readonly server: string;
  readonly reply: Reply;
  readonly amend: Amend;
  /** What the answer asks of the agent's side, before it is amended. */
  readonly admitAnswer: ((answer: ServerAnswer, then: () => void) => void) | undefined;
  readonly recording: Recording;
  /** Of the call that was recorded; the result is recorded with it. */
  readonly callId: string | undefined;
  /** Absent for a subscription, which has no end of its own. */
  readonly timeoutMs: number | undefined;
  /** Of a subscription. */
  readonly pulse: PulseBounds;
  /** How long a stream that broke can be asked for again; absent where nothing can be. */
  readonly resumeGraceMs: number | undefined;
  /** Whether the agent has a stream open on which the answer could still come. */
  isAwaited(): boolean;
  lost(loss: Loss): void;
  /** The server answered with a bare status. */
  answeredStatus(status: number): void;
  messageDropped(): void;
  readonly notice: ChangeNotice;
  /** What of the server's notifications the agent hears. */
  readonly hearing: Hearing;
  readonly inspecting: Inspecting;
  /** The server asks the agent's side for something. */
  readonly ask: PassAsk;
  /** Once, when nothing more can come. */
  over(): void;
}
