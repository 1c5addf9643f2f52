/**
 * How the agent behind one open answer hears that its list of tools changed, by the server's word or by the policy's:
 * in a session on any one stream of it; without one on a subscription alone, once that is acknowledged.
 */
import type { Reply } from "../front/reply.ts";
import type { RequestId } from "../messages/envelope.ts";
import type { Era } from "../messages/revision.ts";
import { SUBSCRIBED, TOOLS_CHANGED, writeToolsChanged } from "./passing.ts";

export interface ChangeNoticeOptions {
  readonly reply: Reply;
  readonly era: Era;
  /** Of the request that the answer is for. */
  readonly id: RequestId;
  /** A subscription to changes of the tools. */
  readonly isSubscribed: boolean;
  /** Whether its session is still to be told; who asks tells it. */
  takeNotice(): boolean;
  /** The server said that its tools changed. */
  toolsChanged(): void;
}

export class ChangeNotice {
  readonly #options: ChangeNoticeOptions;
  #isAcknowledged = false;
  #isDue = false;

  constructor(options: ChangeNoticeOptions) {
    this.#options = options;
  }

  /** What the policy takes away in the middle of a session, or that its stream can carry that now. */
  announce(): void {
    const { era, reply, id, isSubscribed } = this.#options;
    if (era === "handshake") {
      if (reply.isStreaming && this.#options.takeNotice()) {
        void reply.sendEvent({ data: writeToolsChanged() });
      }
    } else if (isSubscribed && this.#isAcknowledged) {
      void reply.sendEvent({ data: writeToolsChanged(id) });
    } else {
      this.#isDue = isSubscribed;
    }
  }

  /** The stream is open. */
  opened(): void {
    if (this.#options.era === "handshake") {
      this.announce();
    }
  }

  /** A notification of the server, after it was passed on: before the acknowledgment nothing else may be said. */
  heard(method: string): void {
    if (method === TOOLS_CHANGED) {
      this.#options.toolsChanged();
    }
    if (method === SUBSCRIBED) {
      this.#isAcknowledged = true;
      if (this.#isDue) {
        this.#isDue = false;
        this.announce();
      }
    }
  }
}
