/**
 * The bucket: where the objects of audit logs lie. Every object is written once; nothing here deletes or replaces one.
 * Keys are relative to the prefix that the broker was configured with.
 */

/** What a caller may upload, and nothing else: length and digests are part of what is signed. */
export interface UploadTerms {
  readonly bytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
  /** Base64, as `Content-MD5` wants it. */
  readonly md5: string;
  readonly expiresSeconds: number;
}

/** A `PUT` with exactly these headers. */
interface Upload {
  readonly url: string;
  readonly headers: Record<string, string>;
}

interface StoredObject {
  readonly bytes: number;
  /** Lower-case hex; undefined where the store keeps no such checksum: then it has to be read. */
  readonly sha256: string | undefined;
}

/** Every method throws `BucketUnusable` when the store cannot be reached or refuses. */
export interface Bucket {
  presignPut(key: string, terms: UploadTerms): Promise<Upload>;
  /** Undefined: there is no such object. */
  stat(key: string): Promise<StoredObject | undefined>;
  /** Undefined: there is no such object. Throws `ObjectTooLarge` beyond `maxBytes`. */
  read(key: string, maxBytes: number): Promise<Buffer | undefined>;
  putOnce(key: string, body: Uint8Array): Promise<"stored" | "exists">;
  /** Every key that starts with `prefix`, sorted. */
  list(prefix: string): Promise<string[]>;
  /** Writes, reads and lists a probe object and proves that it cannot be replaced. */
  probe(): Promise<void>;
}

/** The message says what is wrong with which store; at the start of a broker it is what its operator reads. */
export class BucketUnusable extends Error {
  readonly code = "bucket_unusable";
}

export class ObjectTooLarge extends Error {
  readonly code = "object_too_large";
}

/** The one object that is not of a log. */
export const PROBE_KEY = "lanyard-probe";
