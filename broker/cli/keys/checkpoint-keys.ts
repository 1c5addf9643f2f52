/**
 * The public keys that checkpoints and manifests are verified with: a JWKS as the broker publishes it under
 * `/.well-known/checkpoint-keys.json`, from a file or from there. Only the public members are taken from it.
 */
import { readFile } from "node:fs/promises";
import { importJWK, type JSONWebKeySet } from "jose";
import { z } from "zod";
import { fetchJson } from "../../identity/fetched-document.ts";

const LIMITS = { maxBytes: 1024 * 1024, timeoutMs: 10_000 };

const PublicKey = z.object({
  kty: z.literal("OKP"),
  crv: z.literal("Ed25519"),
  x: z.string(),
  kid: z.string(),
  /** Since when it is distrusted; what it means is for verification to say. */
  revoked: z.json().optional(),
});
/** Keys of other kinds may stand among them: they sign something else. */
const PublishedKeys = z.object({
  keys: z.array(z.union([PublicKey, z.looseObject({}).transform(() => undefined)])),
});

export type LoadedKeys = { readonly ok: true; keys: JSONWebKeySet } | { readonly ok: false; message: string };

/** `from` is a path or an http(s) address; there, a redirect is a failure: who answers for the keys is who was named. */
export async function loadCheckpointKeys(from: string): Promise<LoadedKeys> {
  try {
    const isAddress = /^https?:\/\//i.test(from);
    return await readKeys(
      isAddress ? await fetchJson(from, LIMITS) : JSON.parse(await readFile(from, "utf8")),
    );
  } catch (error) {
    return { ok: false, message: error instanceof Error ? describe(error) : String(error) };
  }
}

async function readKeys(document: unknown): Promise<LoadedKeys> {
  const parsed = PublishedKeys.safeParse(document);
  const keys = (parsed.data?.keys ?? []).filter((key) => key !== undefined);
  if (keys.length === 0) {
    return { ok: false, message: "there is no Ed25519 key in it, it is not what the broker publishes" };
  }
  for (const key of keys) {
    await importJWK(key, "Ed25519");
  }
  return { ok: true, keys: { keys } };
}

/** `fetch failed` says nothing: why stands in its cause. */
function describe(error: Error): string {
  return error.cause instanceof Error ? `${error.message}: ${describe(error.cause)}` : error.message;
}
