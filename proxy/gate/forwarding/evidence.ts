/** What the log holds of an answer in its place: its size and digest, as the server sent it. */
import { hash } from "node:crypto";
import { findReceivedBytes, type ServerAnswer } from "../../messages/server-message.ts";

export interface Evidence {
  readonly bytes: number;
  readonly digest?: string;
}

export const NO_BYTES: Evidence = { bytes: 0 };

export function collectEvidence(answer: ServerAnswer): Evidence {
  const bytes = findReceivedBytes(answer) ?? Buffer.from(answer.text, "latin1");
  return { bytes: bytes.length, digest: hash("sha256", bytes, "hex") };
}
