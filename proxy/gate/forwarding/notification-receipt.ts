/**
 * What a server says to a notification, which has no answer: a status, and perhaps why.
 */
import type { Reply } from "../../front/reply.ts";
import type { Loss, Sink } from "../../upstream/upstream.ts";
import type { Inspecting } from "./inspecting.ts";

export interface ReceiptEvents {
  lost(loss: Loss): void;
  answeredStatus(status: number): void;
  /** Nothing more can come. */
  over(): void;
}

/** `reply` gets the status that the server gave. */
export function awaitReceipt(reply: Reply | undefined, inspecting: Inspecting, events: ReceiptEvents): Sink {
  return {
    opened: () => undefined,
    filler: () => undefined,
    message: (message, { status }) => {
      if (status !== undefined && status >= 400) {
        const shown = inspecting.pass(message);
        if (shown === undefined) {
          reply?.finishEmpty(status);
        } else {
          reply?.finish(status, shown.text);
        }
      }
      return undefined;
    },
    status: (status) => {
      events.over();
      events.answeredStatus(status);
      reply?.finishEmpty(status);
    },
    ended: () => {
      events.over();
      reply?.finishEmpty(202);
    },
    failed: (loss) => {
      events.over();
      events.lost(loss);
      reply?.finishEmpty(502);
    },
  };
}
