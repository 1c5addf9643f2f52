/**
 * An S3 bucket, of AWS or of another store that enforces conditional writes. Uploads go straight to it, at presigned
 * addresses whose signature covers length, both checksums and the condition that there is no such object.
 */
import { createHash } from "node:crypto";
import {
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type PutObjectCommandInput,
  S3Client,
  S3ServiceException,
} from "@aws-sdk/client-s3";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";
import type { AuditStore } from "../config-values.ts";
import { type Bucket, BucketUnusable, ObjectTooLarge, PROBE_KEY, type UploadTerms } from "./bucket.ts";
import { describeS3Failure } from "./s3-failure.ts";

const CONNECT_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 20_000;
/** Two writers of one key at once: one of them is told to try again, and then finds it taken. */
const CONFLICT_ATTEMPTS = 3;

export interface S3Bucket extends Bucket {
  close(): void;
}

export function openS3Bucket(store: Extract<AuditStore, { kind: "s3" }>): S3Bucket {
  const client = new S3Client({
    ...(store.endpoint === undefined ? {} : { endpoint: store.endpoint }),
    ...(store.region === undefined ? {} : { region: store.region }),
    forcePathStyle: store.pathStyle,
    // Our own checksums are sent and signed; what the SDK would add is not understood by every store.
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    requestHandler: { connectionTimeout: CONNECT_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS },
  });
  const objectOf = (key: string) => ({
    Bucket: store.bucket,
    Key: store.prefix === "" ? key : `${store.prefix}/${key}`,
  });
  const guard = async <T>(action: () => Promise<T>): Promise<T> => {
    try {
      return await action();
    } catch (cause) {
      if (cause instanceof ObjectTooLarge || cause instanceof BucketUnusable) throw cause;
      throw new BucketUnusable(describeS3Failure(store.bucket, cause), { cause });
    }
  };

  const bucket: S3Bucket = {
    presignPut: async (key, terms) => {
      const headers = {
        "content-length": String(terms.bytes),
        "content-md5": terms.md5,
        "if-none-match": "*",
        "x-amz-checksum-sha256": Buffer.from(terms.sha256, "hex").toString("base64"),
      };
      const names = new Set(Object.keys(headers));
      const command = new PutObjectCommand({ ...objectOf(key), ...putTerms(terms) });
      // Headers that the presigner moves into the query would be promises that nobody holds the sender to.
      const url = await guard(async () =>
        getSignedUrl(client, command, {
          expiresIn: terms.expiresSeconds,
          unhoistableHeaders: names,
          signableHeaders: new Set([...names, "host"]),
        }),
      );
      return { url, headers };
    },
    stat: async (key) =>
      guard(async () => {
        const command = new HeadObjectCommand({ ...objectOf(key), ChecksumMode: "ENABLED" });
        const found = await client.send(command).catch(absent);
        if (found === undefined) return undefined;
        const checksum = found.ChecksumType === "COMPOSITE" ? undefined : found.ChecksumSHA256;
        return {
          bytes: found.ContentLength ?? 0,
          sha256: checksum && Buffer.from(checksum, "base64").toString("hex"),
        };
      }),
    read: async (key, maxBytes) =>
      guard(async () => {
        const found = await client.send(new GetObjectCommand(objectOf(key))).catch(absent);
        if (found?.Body === undefined) return undefined;
        if ((found.ContentLength ?? Number.POSITIVE_INFINITY) > maxBytes) {
          throw new ObjectTooLarge(`${key} has ${found.ContentLength} bytes`);
        }
        return Buffer.from(await found.Body.transformToByteArray());
      }),
    putOnce: async (key, body) =>
      guard(async () => {
        const terms = {
          bytes: body.byteLength,
          sha256: createHash("sha256").update(body).digest("hex"),
          md5: createHash("md5").update(body).digest("base64"),
        };
        const command = { ...objectOf(key), ...putTerms(terms), Body: body };
        for (let attempt = 1; ; attempt += 1) {
          const answer = await client.send(new PutObjectCommand(command)).catch(conditionRefused);
          if (answer !== "conflict") return answer === "exists" ? "exists" : "stored";
          if (attempt === CONFLICT_ATTEMPTS)
            throw new BucketUnusable(`${key} is being written by somebody else`);
        }
      }),
    list: async (prefix) =>
      guard(async () => {
        const { Bucket, Key: start } = objectOf(prefix);
        const ownPrefix = start.slice(0, start.length - prefix.length);
        const keys: string[] = [];
        let token: string | undefined;
        do {
          const query = {
            Bucket,
            Prefix: start,
            ...(token === undefined ? {} : { ContinuationToken: token }),
          };
          const page = await client.send(new ListObjectsV2Command(query));
          keys.push(...(page.Contents ?? []).flatMap(({ Key }) => (Key === undefined ? [] : [Key])));
          token = page.NextContinuationToken;
        } while (token !== undefined);
        return keys.map((key) => key.slice(ownPrefix.length)).sort();
      }),
    probe: async () => {
      const body = Buffer.from("written by Lanyard at its start\n");
      await bucket.putOnce(PROBE_KEY, body);
      if ((await bucket.putOnce(PROBE_KEY, body)) === "stored") {
        throw new BucketUnusable(
          `the S3 bucket ${store.bucket} replaces objects although it is asked not to (If-None-Match: *): ` +
            "use a store that enforces conditional writes; with some, only unversioned buckets do",
        );
      }
      await bucket.read(PROBE_KEY, 4096);
      await bucket.list(PROBE_KEY);
    },
    close: () => client.destroy(),
  };
  return bucket;
}

function putTerms({
  bytes,
  sha256,
  md5,
}: Omit<UploadTerms, "expiresSeconds">): Omit<PutObjectCommandInput, "Bucket" | "Key"> {
  return {
    ContentLength: bytes,
    ContentMD5: md5,
    ChecksumSHA256: Buffer.from(sha256, "hex").toString("base64"),
    IfNoneMatch: "*",
  };
}

function absent(error: unknown): undefined {
  if (
    !(error instanceof S3ServiceException) ||
    error.$metadata.httpStatusCode !== 404 ||
    error.name === "NoSuchBucket"
  ) {
    throw error;
  }
}

/** AWS, "Conditional requests": 412 when there is such an object, 409 when another request is about to write it. */
function conditionRefused(error: unknown): "exists" | "conflict" {
  const status = error instanceof S3ServiceException ? error.$metadata.httpStatusCode : undefined;
  if (status === 412) return "exists";
  if (status === 409) return "conflict";
  throw error;
}
