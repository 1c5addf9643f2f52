/**
 * How the broker proves to an authorization server who it is: a secret in the header or in the form, or a key that signs
 * (RFC 7523, section 2.2). What is stored is that secret, or that key as a JWK.
 */
import { createPrivateKey } from "node:crypto";
import { importJWK } from "jose";
import {
  type ClientAuth,
  ClientSecretBasic,
  ClientSecretPost,
  None,
  PrivateKeyJwt,
  modifyAssertion,
} from "oauth4webapi";
import { z } from "zod";
import { textOf } from "../vault/typed-secret.ts";
import type { StoredGrant } from "./stored-grant.ts";

type ClientProof = "client_secret_basic" | "client_secret_post" | "private_key_jwt";

const ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
] as const;
const DEFAULTS: Readonly<Record<string, (typeof ALGORITHMS)[number]>> = {
  RSA: "RS256",
  "P-256": "ES256",
  "P-384": "ES384",
  "P-521": "ES512",
  Ed25519: "Ed25519",
};
const PrivateJwk = z.looseObject({
  kty: z.enum(["RSA", "EC", "OKP"]),
  crv: z.exactOptional(z.string()),
  d: z.string(),
  kid: z.exactOptional(z.string().max(200)),
  alg: z.exactOptional(z.enum(ALGORITHMS)),
});
const MAX_SECRET_BYTES = 16 * 1024;
const MIN_RSA_BITS = 2048;

/** A sentence that repeats nothing of it; undefined: it can be one. */
export function checkProofSecret(
  secret: Uint8Array,
  proof: ClientProof = "client_secret_basic",
): string | undefined {
  if (secret.length === 0) return "It is empty.";
  if (secret.length > MAX_SECRET_BYTES) return `It is longer than ${MAX_SECRET_BYTES / 1024} KiB.`;
  if (proof !== "private_key_jwt") {
    return /^[\x20-\x7e]+$/.test(textOf(secret))
      ? undefined
      : "It holds more than one line of printable ASCII.";
  }
  const jwk = readJwk(secret);
  if (jwk === undefined)
    return "It is no private key as a JWK (RSA, EC or Ed25519), or one for another algorithm.";
  try {
    const bits = createPrivateKey({ key: jwk, format: "jwk" }).asymmetricKeyDetails?.modulusLength;
    return bits !== undefined && bits < MIN_RSA_BITS
      ? `Its modulus has fewer than ${MIN_RSA_BITS} bits.`
      : undefined;
  } catch {
    return "Its numbers are no private key.";
  }
}

/** `audience` is what an assertion of the client is made out to. Throws where what is stored is not what was checked. */
export async function proveClient(
  secret: Uint8Array | undefined,
  {
    proof = "client_secret_basic",
    audience,
  }: { readonly proof?: ClientProof | undefined; readonly audience: string },
): Promise<ClientAuth> {
  switch (proof) {
    case "client_secret_basic":
      return ClientSecretBasic(textOf(secret));
    case "client_secret_post":
      return ClientSecretPost(textOf(secret));
    case "private_key_jwt": {
      const jwk = secret && readJwk(secret);
      if (jwk === undefined) throw new Error("a client was to sign without a private key");
      const key = await importJWK(jwk, jwk.alg ?? DEFAULTS[jwk.crv ?? jwk.kty]);
      if (key instanceof Uint8Array) throw new TypeError("the stored key of a client is not a private key");
      return PrivateKeyJwt(
        { key, ...(jwk.kid !== undefined && { kid: jwk.kid }) },
        {
          [modifyAssertion]: (_header, payload) => {
            payload["aud"] = audience;
          },
        },
      );
    }
  }
}

/** Of a grant. Without a secret, what was granted is bound by PKCE and by the redirect address. */
export function proofOf({ proof, client }: Pick<StoredGrant, "proof" | "client">): ClientAuth {
  const { client_secret: secret = "" } = client;
  switch (proof) {
    case "none":
      return None();
    case "client_secret_basic":
      return ClientSecretBasic(secret);
    case "client_secret_post":
      return ClientSecretPost(secret);
  }
}

function readJwk(secret: Uint8Array): z.infer<typeof PrivateJwk> | undefined {
  try {
    const parsed = PrivateJwk.safeParse(JSON.parse(textOf(secret)));
    return parsed.success && (parsed.data.kty !== "OKP" || parsed.data.crv === "Ed25519")
      ? parsed.data
      : undefined;
  } catch {
    return undefined;
  }
}
