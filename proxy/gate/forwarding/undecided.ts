/**
 * What of a server's words is to be decided is decided before it goes on: what an answer asks of the agent's side, and
 * the log of a server that brings what the session has not read.
 */
import type { ServerAnswer } from "../../messages/server-message.ts";
import type { Sink } from "../../upstream/upstream.ts";
import type { AskContext } from "../asks/ask-decision.ts";
import type { Exchange } from "./exchange.ts";
import { holdSink } from "./held-sink.ts";
import type { Sender } from "../sender.ts";
import { admitWords } from "../asks/unasked-words.ts";

/** `findAsked` finds whose answer it is. */
export function holdUndecided(
  asks: AskContext,
  { sender, sink }: { readonly sender: Sender; readonly sink: Sink },
  findAsked: (answer: ServerAnswer) => Exchange | undefined,
): Sink {
  return holdSink(sink, (message, then) => {
    if (message.kind === "notification") {
      admitWords(asks, { sender, notification: message }, then);
      return;
    }
    const exchange = findAsked(message);
    if (exchange === undefined) {
      then();
    } else {
      exchange.admit(message, then);
    }
  });
}
