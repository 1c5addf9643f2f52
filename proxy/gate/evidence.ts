/** What the log holds of an answer in its place: its size and digest, as the server sent it. */
import { hash } from "node:crypto";

export interface Evidence {
  readonly bytes: number;
  readonly digest?: string;
}

export const NO_BYTES: Evidence = { bytes: 0 };

/** One character per byte. */
export function collectEvidence(text: string): Evidence {
  return { bytes: text.length, digest: hash("sha256", Buffer.from(text, "latin1"), "hex") };
}
