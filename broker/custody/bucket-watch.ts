/**
 * Whether the bucket can be used, asked at most every half minute: no session starts whose log could not be kept.
 */
import { type Refused, refuse } from "../refusals.ts";
import { type Bucket, BucketUnusable } from "./bucket.ts";

const GOOD_FOR_MS = 30_000;
const BAD_FOR_MS = 5_000;

export interface BucketWatch {
  /** Undefined: it can be written and read. */
  check(): Promise<Refused | undefined>;
}

export function watchBucket(bucket: Bucket, now: () => number): BucketWatch {
  let answer: Refused | undefined;
  let goodUntil = Number.NEGATIVE_INFINITY;
  let underWay: Promise<void> | undefined;

  const ask = async (): Promise<void> => {
    try {
      await bucket.probe();
      answer = undefined;
      goodUntil = now() + GOOD_FOR_MS;
    } catch (error) {
      if (!(error instanceof BucketUnusable)) throw error;
      answer = refuse("bucket_unavailable", error.message);
      goodUntil = now() + BAD_FOR_MS;
    } finally {
      underWay = undefined;
    }
  };
  return {
    async check() {
      if (now() >= goodUntil) {
        underWay ??= ask();
        await underWay;
      }
      return answer;
    },
  };
}
