/**
 * Segments: the compressed pieces in which a log is stored. Packing is fast, unpacking is bounded, and a frame
 * that was not made by packing (no checksum, bytes after its end, another format) is refused.
 */
import { createHash, hash } from "node:crypto";
import { promisify } from "node:util";
import { constants, createZstdDecompress, zstdCompress } from "node:zlib";
import type { Digest } from "./record.ts";

/** What a segment may hold unpacked: as much as a proxy may hold unsent, which is what one recovered tail can be. */
export const MAX_SEGMENT_BYTES = 32 * 1024 * 1024;
/** What a stored segment may measure: zstd adds next to nothing even to what cannot be compressed. */
export const MAX_PACKED_BYTES = MAX_SEGMENT_BYTES + 1024 * 1024;

export interface PackedSegment {
  readonly body: Buffer;
  readonly sha256: Digest;
  /** Base64, as `Content-MD5` wants it. */
  readonly md5: string;
}

/** The bytes are no segment, or one that is larger than it may be. */
export class SegmentRefused extends Error {
  readonly code: "segment_unreadable" | "segment_too_large";

  constructor(code: SegmentRefused["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

const compress = promisify(zstdCompress);

/** Level 1: on audit records it packs better than gzip-6 and is several times as fast. */
const PACKING = {
  params: { [constants.ZSTD_c_compressionLevel]: 1, [constants.ZSTD_c_checksumFlag]: 1 },
};

/** `text` is whole lines of records. */
export async function packSegment(text: string | Uint8Array): Promise<PackedSegment> {
  const content = typeof text === "string" ? Buffer.from(text, "utf8") : text;
  // With its size told, the frame says it, and has no header byte that decoders pass over.
  const body = await compress(content, { ...PACKING, pledgedSrcSize: content.length });
  return { body, sha256: hash("sha256", body, "hex"), md5: createHash("md5").update(body).digest("base64") };
}

/** The content of a segment. Throws `SegmentRefused` when it is damaged or larger than `maxBytes`. */
export async function unpackSegment(body: Uint8Array, maxBytes: number): Promise<Buffer> {
  const { content, refused } = await decompress(body, { maxBytes, chunkBytes: 64 * 1024 });
  if (refused) {
    throw refused;
  }
  return content;
}

/**
 * As much of a damaged segment as can be read, which tells where it was damaged. What comes before the damage within
 * the same block of zstd is lost with it, unless only the checksum at the end noticed.
 */
export async function unpackReadable(body: Uint8Array, maxBytes: number): Promise<Buffer> {
  // The decoder keeps back the chunk that it is filling when it fails: small ones lose little.
  const { content } = await decompress(body, { maxBytes, chunkBytes: 1024 });
  return content;
}

interface Decompressed {
  readonly content: Buffer;
  readonly refused?: SegmentRefused;
}

async function decompress(
  body: Uint8Array,
  { maxBytes, chunkBytes }: { maxBytes: number; chunkBytes: number },
): Promise<Decompressed> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const frame = createZstdDecompress({ chunkSize: chunkBytes });
  frame.end(body);
  try {
    for await (const chunk of frame.iterator()) {
      if (!Buffer.isBuffer(chunk)) {
        throw new TypeError("the decompressor is in object mode");
      }
      bytes += chunk.length;
      if (bytes > maxBytes) {
        const refused = new SegmentRefused("segment_too_large", `it holds more than ${maxBytes} bytes`);
        return { content: Buffer.alloc(0), refused };
      }
      chunks.push(chunk);
    }
  } catch (cause) {
    const refused = new SegmentRefused("segment_unreadable", "it cannot be unpacked", { cause });
    return { content: Buffer.concat(chunks), refused };
  }
  const content = Buffer.concat(chunks);
  if (frame.bytesWritten !== body.length || !isPackedFrame(body)) {
    return {
      content,
      refused: new SegmentRefused("segment_unreadable", "it is not one zstd frame as segments are"),
    };
  }
  return { content };
}

const FRAME_MAGIC = 0xfd2fb528;
/** RFC 8878, section 3.1.1.1.1: the checksum flag set; unused bit, reserved bit and dictionary id clear. */
const FRAME_FLAGS_MASK = 0b0001_1111;
const FRAME_FLAGS = 0b0000_0100;
/** One of these is set when the frame tells the size of its content. */
const FRAME_SIZE_MASK = 0b1110_0000;

/** Decoders ignore some bits of the header: here every bit counts, also where no manifest names the digest. */
function isPackedFrame(body: Uint8Array): boolean {
  const view = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const flags = view.readUInt8(4);
  const isPlain = (flags & FRAME_FLAGS_MASK) === FRAME_FLAGS && (flags & FRAME_SIZE_MASK) !== 0;
  return view.readUInt32LE(0) === FRAME_MAGIC && isPlain;
}
