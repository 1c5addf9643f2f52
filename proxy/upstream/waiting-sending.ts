/**
 * A request that cannot be sent yet: it is as good as sent, and can be taken back.
 */
import type { Sending } from "./upstream.ts";

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
