/**
 * The public keys of one configured issuer, found through its discovery document.
 * They are fetched when they are first needed, when they are old, and at most once a minute for a `kid` that is not
 * among them: a flood of invented ones costs nothing, and none of them is remembered. An issuer that is down does not
 * stop tokens of known keys, for a day; that its keys are old is told each time when they could not be fetched.
 */
import { FetchFailed } from "./fetched-document.ts";
import type { PublicJwk, PublishedKeys } from "./published-keys.ts";

const REFETCH_INTERVAL_MS = 60_000;
/** While there are no keys at all: an issuer that was not up yet is found soon. */
const FIRST_FETCH_INTERVAL_MS = 2_000;
/** After this time keys are fetched again … */
const FRESH_MS = 10 * 60_000;
/** … and if that fails, the old ones are good until then. */
const MAX_STALE_MS = 24 * 60 * 60_000;

export interface FoundKeys {
  /** Every published key of this `kid`. */
  readonly keys: readonly PublicJwk[];
  /** What the issuer says it signs with; undefined where it does not say. */
  readonly algorithms: readonly string[] | undefined;
}

export interface IssuerKeys {
  /** Throws `FetchFailed` where nobody can say: there are no keys less than a day old, or no new ones to be had. */
  find(kid: string): Promise<FoundKeys>;
}

export interface IssuerKeysOptions {
  /** Throws `FetchFailed`. */
  readonly fetchKeys: () => Promise<PublishedKeys>;
  /** Told why keys that are older than they should be could not be fetched again: once a minute at most. */
  readonly onStale?: ((stale: StaleKeys) => void) | undefined;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export interface StaleKeys {
  readonly reason: string;
  readonly ageMs: number;
  /** When tokens of these keys are refused, too. */
  readonly goodForMs: number;
}

export function createIssuerKeys({ fetchKeys, onStale, now }: IssuerKeysOptions): IssuerKeys {
  let published: PublishedKeys | undefined;
  let fetchedAt = Number.NEGATIVE_INFINITY;
  let triedAt = Number.NEGATIVE_INFINITY;
  let failure: FetchFailed | undefined;
  let underWay: Promise<void> | undefined;

  /** Single flight: whoever comes while one is under way waits for that one. Never rejects for a `FetchFailed`. */
  const refetch = (): Promise<void> => {
    underWay ??= (async () => {
      triedAt = now();
      try {
        published = await fetchKeys();
        fetchedAt = now();
        failure = undefined;
      } catch (error) {
        if (!(error instanceof FetchFailed)) throw error;
        failure = error;
        const ageMs = age();
        if (published !== undefined && ageMs >= FRESH_MS) {
          onStale?.({ reason: error.message, ageMs, goodForMs: Math.max(0, MAX_STALE_MS - ageMs) });
        }
      } finally {
        underWay = undefined;
      }
    })();
    return underWay;
  };
  const mayTry = (): boolean =>
    underWay !== undefined ||
    now() - triedAt >= (published === undefined ? FIRST_FETCH_INTERVAL_MS : REFETCH_INTERVAL_MS);
  const age = (): number => now() - fetchedAt;
  const isKnown = (kid: string): boolean => published?.keys.some((key) => key.kid === kid) === true;

  return {
    async find(kid) {
      if (age() >= FRESH_MS && mayTry()) {
        const attempt = refetch();
        // A job with a known key does not wait again and again for an issuer that did not answer the last time.
        if (failure === undefined || age() >= MAX_STALE_MS || !isKnown(kid)) await attempt;
        else attempt.catch(() => undefined);
      }
      if (published === undefined || age() >= MAX_STALE_MS) {
        throw failure ?? new FetchFailed("the keys of the issuer could not be fetched a moment ago");
      }
      if (!isKnown(kid) && mayTry()) await refetch();
      // It may be the key that they rotated to: whoever has it should come again.
      if (!isKnown(kid) && failure !== undefined) throw failure;
      const { keys, algorithms } = published;
      return { keys: keys.filter((key) => key.kid === kid), algorithms };
    },
  };
}
