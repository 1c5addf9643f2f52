/**
 * What an issuer publishes about itself: its discovery document and the key set that it leads to.
 * OpenID Connect Discovery 1.0, section 4, and RFC 7517, section 5.
 */
import { z } from "zod";
import type { Resolve } from "../egress/address-guard.ts";
import type { RequestTls } from "../egress/guarded-request.ts";
import { reachOf } from "../egress/reach.ts";
import { FetchFailed, fetchJson } from "./fetched-document.ts";

const LIMITS = { maxBytes: 256 * 1024, timeoutMs: 5_000 };
const MAX_KEYS = 100;

const Discovery = z.object({
  issuer: z.string(),
  jwks_uri: z.url({ protocol: /^https?$/ }),
  id_token_signing_alg_values_supported: z.array(z.string()).optional(),
});
const text = z.string().optional();
/** The public members that are used, and no others. */
export const PublicJwk = z.object({
  kty: z.string(),
  kid: text,
  use: text,
  key_ops: z.array(z.string()).optional(),
  alg: text,
  n: text,
  e: text,
  crv: text,
  x: text,
  y: text,
});
export type PublicJwk = z.infer<typeof PublicJwk>;
/** A key that is not understood is left out, as section 5 wants it. */
const KeySet = z.object({
  keys: z.array(PublicJwk.or(z.unknown().transform(() => undefined))).max(MAX_KEYS),
});

export interface PublishedKeys {
  readonly keys: readonly PublicJwk[];
  readonly algorithms: readonly string[] | undefined;
}

/** A key set from a document. Undefined: it is none, it is too large, or no key in it is one. */
export function parseKeySet(document: unknown): PublicJwk[] | undefined {
  const keys = KeySet.safeParse(document).data?.keys.filter((key) => key !== undefined);
  return keys?.length === 0 ? undefined : keys;
}

export interface IssuerAccess {
  /** Issuers whose servers are in the operator's own network. */
  readonly privateIssuers: readonly string[];
  /** By default the system's resolver. */
  readonly resolve?: Resolve | undefined;
  /** By default Node's own. */
  readonly requestTls?: RequestTls | undefined;
}

/** Throws `FetchFailed`. */
export async function fetchPublishedKeys(issuer: string, access: IssuerAccess): Promise<PublishedKeys> {
  const { privateIssuers, resolve, requestTls } = access;
  const limits = {
    ...LIMITS,
    permitted: reachOf(issuer, privateIssuers.includes(issuer)),
    ...(resolve === undefined ? {} : { resolve }),
    ...(requestTls === undefined ? {} : { requestTls }),
  };
  const discovery = Discovery.safeParse(
    await fetchJson(`${issuer}/.well-known/openid-configuration`, limits),
  );
  if (!discovery.success) {
    throw new FetchFailed(`the discovery document of ${issuer} is not one`);
  }
  const { issuer: named, jwks_uri, id_token_signing_alg_values_supported: algorithms } = discovery.data;
  if (named !== issuer) {
    throw new FetchFailed(
      `the discovery document of ${issuer} is that of another issuer, ${JSON.stringify(named.slice(0, 200))}`,
    );
  }
  const { origin, username, password } = new URL(jwks_uri);
  if (origin !== new URL(issuer).origin || username !== "" || password !== "") {
    throw new FetchFailed(
      `the discovery document of ${issuer} leads to another host, ${JSON.stringify(jwks_uri.slice(0, 200))}`,
    );
  }
  const keys = parseKeySet(await fetchJson(jwks_uri, limits));
  if (keys === undefined) {
    throw new FetchFailed(`the key set of ${issuer} is not one, is empty, or has more than ${MAX_KEYS} keys`);
  }
  return { keys, algorithms };
}
