/**
 * What of an answer goes on to the agent: the server's own bytes, or those with something cut out, or a refusal in
 * their place. And how the call ended, for the log.
 */
import type { Answer } from "../messages/refusals.ts";
import type { ServerAnswer } from "../messages/server-message.ts";
import type { Outcome } from "../recording.ts";

export type Amendment =
  | { readonly outcome: Outcome; readonly message: ServerAnswer }
  | { readonly outcome: Outcome; readonly refusal: Answer };

/** Throws `RecordingFailed` where what it learns has to be recorded and cannot be. */
export type Amend = (answer: ServerAnswer) => Amendment;

export function passUnchanged(answer: ServerAnswer): Amendment {
  return { outcome: answer.kind === "error" ? "error" : "ok", message: answer };
}
