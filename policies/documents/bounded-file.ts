/**
 * Reads a file that somebody else wrote: never more of it than a bound, and never something that only looks like a file.
 * A pipe that nobody writes to, or a device without an end, would hold up whoever reads it.
 */
import { constants } from "node:fs";
import { open } from "node:fs/promises";

export type BoundedFile =
  | { readonly kind: "read"; readonly bytes: Buffer }
  | { readonly kind: "too_large" | "not_a_file" | "changing" };

/** Throws what the file system says. */
export async function readBoundedFile(path: string, maxBytes: number): Promise<BoundedFile> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = await file.stat();
    if (!stats.isFile()) {
      return { kind: "not_a_file" };
    }
    if (stats.size > maxBytes) {
      return { kind: "too_large" };
    }
    // One byte more than there should be: it shows that the file has grown.
    const bytes = Buffer.alloc(stats.size + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(bytes, length, bytes.length - length);
      length += bytesRead;
      if (bytesRead === 0 || length === bytes.length) {
        break;
      }
    }
    return length === stats.size ? { kind: "read", bytes: bytes.subarray(0, length) } : { kind: "changing" };
  } finally {
    await file.close();
  }
}
