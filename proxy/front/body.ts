/**
 * The body of a request, whole and of bounded size.
 */
import type { IncomingMessage } from "node:http";
import type { Fields } from "../messages/fields.ts";

export type Body =
  | { readonly ok: true; readonly bytes: Buffer }
  | { readonly ok: false; readonly reason: "too_large" | "gone" };

/** `fields` are those of `request`. */
export function readBody(request: IncomingMessage, fields: Fields, maxBytes: number): Promise<Body> {
  if (Number(fields.get("content-length") ?? 0) > maxBytes) {
    return Promise.resolve({ ok: false, reason: "too_large" });
  }
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const hold = (chunk: Buffer): void => {
      length += chunk.length;
      if (length > maxBytes) {
        request.off("data", hold);
        resolve({ ok: false, reason: "too_large" });
        return;
      }
      chunks.push(chunk);
    };
    // The first of them is what counts.
    const gone = (): void => resolve({ ok: false, reason: "gone" });
    request.on("data", hold);
    request.on("end", () => {
      const [first] = chunks;
      resolve({
        ok: true,
        bytes: chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks),
      });
    });
    request.on("close", gone);
    request.on("error", gone);
  });
}
