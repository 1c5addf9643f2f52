/**
 * A request that cannot be sent yet: it is as good as sent, and can be taken back.
 */
import type { Loss, Sending, Sink } from "../upstream.ts";

export const NOTHING_SENT: Sending = { cancel: () => undefined, leave: () => undefined };

/** Starts at once when there is nothing to wait for. */
export function startAfter(ready: Promise<unknown> | undefined, start: () => Sending): Sending {
  if (ready === undefined) {
    return start();
  }
  let sending: Sending | undefined;
  let isOver = false;
  void ready.then(() => {
    sending = isOver ? undefined : start();
  });
  return {
    cancel: (reason) => {
      isOver = true;
      sending?.cancel(reason);
    },
    leave: () => {
      isOver = true;
      sending?.leave();
    },
  };
}

/** There is no answer to what was not sent. */
export function failUnsent(sink: Sink, loss: Loss): Sending {
  sink.failed(loss);
  return NOTHING_SENT;
}
