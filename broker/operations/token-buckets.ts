/**
 * Token buckets by name: so many at once, then so many a minute. Memory is bounded: with too many names the one that
 * was used least recently is forgotten, and starts anew with a full bucket.
 */
const MINUTE_MS = 60_000;

export interface TokenBuckets {
  /** Takes one; false when there is none left. */
  take(name: string): boolean;
  /** Whether there is one to take. */
  has(name: string): boolean;
}

export interface BucketOptions {
  /** Also how many may come at once. */
  readonly perMinute: number;
  readonly maxNames: number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export function createTokenBuckets({ perMinute, maxNames, now }: BucketOptions): TokenBuckets {
  // In order of use: the first is the least recent.
  const buckets = new Map<string, { left: number; at: number }>();
  const leftOf = (name: string): number => {
    const bucket = buckets.get(name);
    if (bucket === undefined) return perMinute;
    const elapsedMs = Math.max(0, now() - bucket.at);
    return Math.min(perMinute, bucket.left + (elapsedMs * perMinute) / MINUTE_MS);
  };
  return {
    has: (name) => leftOf(name) >= 1,
    take(name) {
      if (perMinute === Number.POSITIVE_INFINITY) return true;
      const left = leftOf(name);
      buckets.delete(name);
      if (buckets.size >= maxNames) {
        const [oldest = name] = buckets.keys();
        buckets.delete(oldest);
      }
      buckets.set(name, { left: left >= 1 ? left - 1 : left, at: now() });
      return left >= 1;
    },
  };
}
