/**
 * How the agent behind one open answer hears that its lists changed, by the server's word or by the policy's: in a
 * session on any one stream of it; without one on a subscription alone, once that is acknowledged.
 */
import type { Reply } from "../../front/reply.ts";
import type { RequestId } from "../../messages/envelope.ts";
import type { Era } from "../../messages/revision.ts";
import type { Kind } from "../named-things.ts";
import { findChangedKind, SUBSCRIBED, writeChanged } from "../passing.ts";
import { isSameViewer, type Sender } from "../sender.ts";

export interface ChangeNoticeOptions {
  readonly reply: Reply;
  readonly era: Era;
  /** Of the request that the answer is for. */
  readonly id: RequestId;
  /** Of a subscription. */
  readonly hearsOf: ReadonlySet<Kind>;
  /** What its session is still to be told; who asks tells it. */
  takeNotices(): ReadonlySet<Kind>;
  readonly sender: Sender;
  /** The server said so. */
  listChanged(kind: Kind): void;
}

export class ChangeNotice {
  readonly #options: ChangeNoticeOptions;
  #isAcknowledged = false;
  readonly #due = new Set<Kind>();

  constructor(options: ChangeNoticeOptions) {
    this.#options = options;
  }

  /** Where it is for everybody, or for this agent. */
  announce(kinds: ReadonlySet<Kind>, to?: Sender): void {
    const { era, hearsOf, sender } = this.#options;
    if (to !== undefined && !isSameViewer(sender, to)) {
      return;
    }
    if (era === "handshake") {
      this.#announceDue();
      return;
    }
    [...kinds].filter((kind) => hearsOf.has(kind)).forEach((kind) => this.#due.add(kind));
    if (this.#isAcknowledged) {
      this.#announceHeard();
    }
  }

  /** The stream is open. */
  opened(): void {
    if (this.#options.era === "handshake") {
      this.#announceDue();
    }
  }

  /** A notification of the server, after it was passed on: before the acknowledgment nothing else may be said. */
  heard(method: string): void {
    const kind = findChangedKind(method);
    if (kind !== undefined) {
      this.#options.listChanged(kind);
    }
    if (method === SUBSCRIBED) {
      this.#isAcknowledged = true;
      this.#announceHeard();
    }
  }

  #announceDue(): void {
    const { reply } = this.#options;
    for (const kind of reply.isStreaming ? this.#options.takeNotices() : []) {
      void reply.sendEvent({ data: writeChanged(kind) });
    }
  }

  #announceHeard(): void {
    const { reply, id } = this.#options;
    for (const kind of this.#due) {
      void reply.sendEvent({ data: writeChanged(kind, id) });
    }
    this.#due.clear();
  }
}
