/**
 * The public keys of one configured issuer, found through its discovery document.
 * They are fetched when they are first needed, when they are old, and at most once a minute for a `kid` that is not
 * among them: a flood of invented ones costs nothing. An issuer that is down does not stop tokens of known keys.
 */
import { z } from "zod";
import { FetchFailed, fetchJson } from "./fetched-document.ts";

const LIMITS = { maxBytes: 256 * 1024, timeoutMs: 5_000 };
const MAX_KEYS = 100;
const REFETCH_INTERVAL_MS = 60_000;
/** While there are no keys at all: an issuer that was not up yet is found soon. */
const FIRST_FETCH_INTERVAL_MS = 2_000;
/** After this time keys are fetched again … */
const FRESH_MS = 10 * 60_000;
/** … and if that fails, the old ones are good until then. */
const MAX_STALE_MS = 24 * 60 * 60_000;

const Discovery = z.object({ issuer: z.string(), jwks_uri: z.url({ protocol: /^https?$/ }) });
const text = z.string().optional();
/** The public members that are used, and no others. */
const PublicJwk = z.object({
  kty: z.string(),
  kid: text,
  use: text,
  alg: text,
  n: text,
  e: text,
  crv: text,
  x: text,
  y: text,
});
export type PublicJwk = z.infer<typeof PublicJwk>;
const KeySet = z.object({ keys: z.array(PublicJwk).min(1).max(MAX_KEYS) });

export interface IssuerKeys {
  /** Every published key of this `kid`. Throws `FetchFailed` when no keys could be had at all. */
  find(kid: string): Promise<PublicJwk[]>;
}

export function createIssuerKeys(issuer: string, now: () => number): IssuerKeys {
  let keys: readonly PublicJwk[] = [];
  let fetchedAt = Number.NEGATIVE_INFINITY;
  let triedAt = Number.NEGATIVE_INFINITY;
  let underWay: Promise<void> | undefined;

  const refetch = (): Promise<void> => {
    underWay ??= (async () => {
      triedAt = now();
      try {
        keys = await fetchKeys(issuer);
        fetchedAt = now();
      } finally {
        underWay = undefined;
      }
    })();
    return underWay;
  };
  const mayTry = (): boolean =>
    underWay !== undefined ||
    now() - triedAt >= (keys.length === 0 ? FIRST_FETCH_INTERVAL_MS : REFETCH_INTERVAL_MS);

  return {
    async find(kid) {
      if (now() - fetchedAt >= FRESH_MS && mayTry()) {
        await refetch().catch((error: unknown) => {
          if (now() - fetchedAt >= MAX_STALE_MS) throw error;
        });
      }
      if (now() - fetchedAt >= MAX_STALE_MS) {
        throw new FetchFailed(`the keys of ${issuer} could not be fetched a moment ago`);
      }
      if (!keys.some((key) => key.kid === kid) && mayTry()) {
        await refetch().catch(() => undefined);
      }
      return keys.filter((key) => key.kid === kid);
    },
  };
}

/** OpenID Connect Discovery 1.0, section 4: the document's `issuer` must be the one that was asked. */
async function fetchKeys(issuer: string): Promise<PublicJwk[]> {
  const discovery = Discovery.safeParse(
    await fetchJson(`${issuer}/.well-known/openid-configuration`, LIMITS),
  );
  if (!discovery.success) {
    throw new FetchFailed(`the discovery document of ${issuer} is not one`);
  }
  const { issuer: named, jwks_uri: jwksUri } = discovery.data;
  if (named !== issuer) {
    throw new FetchFailed(`the discovery document of ${issuer} is that of another issuer`);
  }
  if (new URL(jwksUri).origin !== new URL(issuer).origin) {
    throw new FetchFailed(`the discovery document of ${issuer} leads to another host`);
  }
  const keySet = KeySet.safeParse(await fetchJson(jwksUri, LIMITS));
  if (!keySet.success) {
    throw new FetchFailed(`the key set of ${issuer} is not one, is empty, or has more than ${MAX_KEYS} keys`);
  }
  return keySet.data.keys;
}
