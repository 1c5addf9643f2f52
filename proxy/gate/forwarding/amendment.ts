/**
 * What of an answer goes on to the agent: the server's own bytes, or those with something cut out, or a refusal in
 * their place. And how the call ended, for the log.
 */
import type { Answer } from "../../messages/refusals.ts";
import { findReceivedBytes, type ServerAnswer } from "../../messages/server-message.ts";
import type { Outcome } from "../../recording.ts";

export type Amendment =
  | { readonly outcome: Outcome; readonly message: ServerAnswer }
  | { readonly outcome: Outcome; readonly refusal: Answer };

/** Throws `RecordingFailed` where what it learns has to be recorded and cannot be. */
export type Amend = (answer: ServerAnswer) => Amendment;

export function passUnchanged(answer: ServerAnswer): Amendment {
  return { outcome: answer.kind === "error" ? "error" : "ok", message: answer };
}

/** As it goes to the agent: `bytes` are those of `text`, where they are at hand and many. */
export interface AmendedBody {
  readonly text: string;
  readonly bytes?: Buffer | undefined;
  /** Of a refusal. */
  readonly status?: number;
}

/** Less is sent faster as text, in one piece with its header. */
const MANY_BYTES = 16 * 1024;

export function writeAmended(amended: Amendment): AmendedBody {
  if ("refusal" in amended) {
    return amended.refusal;
  }
  const { text } = amended.message;
  return text.length < MANY_BYTES ? { text } : { text, bytes: findReceivedBytes(amended.message) };
}
