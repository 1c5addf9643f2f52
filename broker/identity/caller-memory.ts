/**
 * What this process has verified of callers that come again with every call: the signature of a token, and the public key
 * of a proof. A remembered token counts until its end, and no longer than the keys stay the ones that are published;
 * a remembered key says nothing about any proof.
 */
import { EmbeddedJWK, type JSONWebKeySet } from "jose";
import type { Refused } from "../refusals.ts";
import { type AccessTokenContext, type VerifiedAccessToken, verifyAccessToken } from "./access-token.ts";

/** Each takes about a kilobyte. */
const MAX_REMEMBERED = 5_000;

type FindProofKey = typeof EmbeddedJWK;

export interface CallerMemory {
  /** As `verifyAccessToken`. */
  verifyToken(token: string, context: AccessTokenContext): Promise<VerifiedAccessToken | Refused>;
  /** As `EmbeddedJWK`. For callers whose token is good: keys can be made by anybody. */
  readonly findProofKey: FindProofKey;
}

/** `publishedKeys`: the same object as long as the same keys are published. */
export function createCallerMemory(publishedKeys: () => JSONWebKeySet): CallerMemory {
  const tokens = new Map<string, VerifiedAccessToken>();
  const proofKeys = new Map<string, Awaited<ReturnType<FindProofKey>>>();
  let trusted = publishedKeys();
  const isSameTrust = (): boolean => publishedKeys() === trusted;

  return {
    async verifyToken(token, context) {
      if (!isSameTrust()) tokens.clear();
      const before = (trusted = publishedKeys());
      const known = tokens.get(token);
      if (known !== undefined && context.now < known.expiresAt) return known;
      const verified = await verifyAccessToken(token, context);
      if (verified.ok && trusted === before && isSameTrust()) remember(tokens, token, verified);
      return verified;
    },
    async findProofKey(header, jws) {
      const name = JSON.stringify([header?.alg, header?.jwk]);
      const known = proofKeys.get(name);
      if (known !== undefined) return known;
      const key = await EmbeddedJWK(header, jws);
      remember(proofKeys, name, key);
      return key;
    },
  };
}

/** The oldest goes first: whoever still comes is soon here again. */
function remember<Value>(values: Map<string, Value>, name: string, value: Value): void {
  values.set(name, value);
  const [oldest] = values.keys();
  if (values.size > MAX_REMEMBERED && oldest !== undefined) values.delete(oldest);
}
