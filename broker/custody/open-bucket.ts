/**
 * The bucket that the configuration names. The AWS SDK is loaded only where it is used.
 */
import type { AuditStore } from "../config-values.ts";
import type { Bucket } from "./bucket.ts";
import { type FolderBucket, type FolderBucketOptions, openFolderBucket } from "./folder-bucket.ts";

export interface OpenBucket {
  readonly bucket: Bucket;
  /** Set when uploads come to the broker itself. */
  readonly folder: FolderBucket | undefined;
  close(): void;
}

export async function openBucket(
  store: AuditStore,
  options: Omit<FolderBucketOptions, "path">,
): Promise<OpenBucket> {
  if (store.kind === "folder") {
    const folder = openFolderBucket({ path: store.path, ...options });
    return { bucket: folder, folder, close: () => undefined };
  }
  const { openS3Bucket } = await import("./s3-bucket.ts");
  const bucket = openS3Bucket(store);
  return { bucket, folder: undefined, close: () => bucket.close() };
}
