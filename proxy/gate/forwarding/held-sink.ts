/**
 * What a server says, in its order, although something of it is decided in a turn of its own: what comes after that
 * waits for it.
 */
import type { ServerMessage, ServerRequest } from "../../messages/server-message.ts";
import type { Sink } from "../../upstream/upstream.ts";

/** Calls `then` when the message may go on: at once, or later. */
export type Hold = (message: Exclude<ServerMessage, ServerRequest>, then: () => void) => void;

export function holdSink(sink: Sink, hold: Hold): Sink {
  const waiting: (() => void)[] = [];
  let isHeld = false;
  const inTurn = (tell: () => Promise<void> | undefined): Promise<void> | undefined => {
    if (!isHeld) {
      return tell();
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    waiting.push(() => void Promise.resolve(tell()).then(resolve));
    return promise;
  };
  const release = (): void => {
    isHeld = false;
    while (!isHeld && waiting.length > 0) {
      waiting.shift()?.();
    }
  };
  const tell = (step: () => void): void => {
    void inTurn(() => {
      step();
      return undefined;
    });
  };
  return {
    opened: () => tell(() => sink.opened()),
    filler: (carriage) => tell(() => sink.filler(carriage)),
    status: (status) => tell(() => sink.status(status)),
    ended: () => tell(() => sink.ended()),
    failed: (loss) => tell(() => sink.failed(loss)),
    message: (message, carriage) =>
      inTurn(() => {
        let passed: Promise<void> | undefined;
        let isAtOnce = true;
        const later = Promise.withResolvers<void>();
        isHeld = true;
        hold(message, () => {
          passed = sink.message(message, carriage);
          if (!isAtOnce) {
            void Promise.resolve(passed).then(later.resolve);
            release();
          } else {
            isHeld = false;
          }
        });
        isAtOnce = false;
        return isHeld ? later.promise : passed;
      }),
    ...(sink.asked !== undefined && {
      asked: (request: ServerRequest, asking: Parameters<NonNullable<Sink["asked"]>>[1]) =>
        inTurn(() => sink.asked?.(request, asking)),
    }),
  };
}
