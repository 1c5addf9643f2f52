/**
 * A broker's database and bucket in a folder of their own, with a key that signs: what tests write runs into.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exportJWK, generateKeyPair, type JSONWebKeySet } from "jose";
import type { SigningKey } from "../../../audit/signature.ts";
import type { Bucket } from "../../../broker/custody/bucket.ts";
import { openFolderBucket } from "../../../broker/custody/folder-bucket.ts";
import { openDatabase } from "../../../broker/storage/database.ts";
import type { Queries } from "../../../broker/storage/schema.ts";

const START = Date.parse("2026-11-22T09:30:00.000Z");

/** A broker's database and bucket without a broker. Its clock stands still unless it is moved. */
export interface ReviewStore {
  readonly folder: string;
  readonly bucketFolder: string;
  readonly database: Queries;
  readonly bucket: Bucket;
  readonly keys: JSONWebKeySet;
  readonly key: SigningKey;
  clock: number;
  readonly now: () => number;
  close(): Promise<void>;
}

export async function openReviewStore(): Promise<ReviewStore> {
  const folder = await mkdtemp(join(tmpdir(), "lanyard-review-"));
  const bucketFolder = join(folder, "audit");
  const { privateKey, publicKey } = await generateKeyPair("Ed25519", { extractable: true });
  const database = await openDatabase({ kind: "sqlite", path: join(folder, "lanyard.sqlite") });
  const store: ReviewStore = {
    folder,
    bucketFolder,
    database,
    bucket: openFolderBucket({
      path: bucketFolder,
      publicUrl: "http://broker.test",
      uploadSecrets: () => [Buffer.alloc(32)],
      now: () => store.clock,
    }),
    keys: { keys: [{ ...(await exportJWK(publicKey)), kid: "checkpoint-1", alg: "Ed25519" }] },
    key: { kid: "checkpoint-1", privateKey },
    clock: START,
    now: () => store.clock,
    async close() {
      await database.destroy();
      await rm(folder, { recursive: true });
    },
  };
  return store;
}
