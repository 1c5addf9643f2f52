/**
 * Verification of a DPoP proof (RFC 9449, section 4.3): the caller has a private key, now, for this request.
 * Pure but for the signature; that a proof is used once is the caller's to remember.
 */
import { hash } from "node:crypto";
import { EmbeddedJWK, jwtVerify } from "jose";
import { z } from "zod";
import { type Refused, refuse } from "../refusals.ts";
import { type P256PublicJwk, thumbprintOf } from "./key-thumbprint.ts";

const ALGORITHMS = ["ES256"];
const MAX_AGE_SECONDS = 30;
const MAX_PROOF_BYTES = 4096;

/** 32 bytes in their one spelling: the thumbprint is over the text. */
const Coordinate = z.string().regex(/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/);

const ProofHeader = z.strictObject({
  typ: z.literal("dpop+jwt"),
  alg: z.enum(ALGORITHMS),
  // Strict: a private member in it would be a leaked key.
  jwk: z.strictObject({
    kty: z.literal("EC"),
    crv: z.literal("P-256"),
    x: Coordinate,
    y: Coordinate,
    kid: z.string().optional(),
    alg: z.string().optional(),
    use: z.string().optional(),
    key_ops: z.array(z.string()).optional(),
    ext: z.boolean().optional(),
  }),
});
const ProofClaims = z.looseObject({
  jti: z.string().min(8).max(128),
  htm: z.string(),
  htu: z.string(),
  iat: z.int(),
  ath: z.string().optional(),
});

export interface ProofContext {
  readonly method: string;
  /** The public address of the endpoint, without query and fragment. */
  readonly url: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** The token the proof must be bound to; at the token endpoint there is none. */
  readonly accessToken?: string;
  /** Reads the key in the proof's header; by default `EmbeddedJWK`. */
  readonly findKey?: typeof EmbeddedJWK;
}

export interface Proof {
  readonly ok: true;
  /** RFC 7638 thumbprint of the key. */
  readonly thumbprint: string;
  readonly jti: string;
  /** When the same proof is refused for its age, in milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** `header` as Node gives it: an array would be several headers, which section 4.3 forbids. */
export async function verifyProof(
  header: string | readonly string[] | undefined,
  { method, url, now, accessToken, findKey = EmbeddedJWK }: ProofContext,
): Promise<Proof | Refused> {
  if (typeof header !== "string" || header.includes(",")) {
    return refuse("proof_invalid", "there is not exactly one DPoP header");
  }
  if (header.length > MAX_PROOF_BYTES) {
    return refuse("proof_invalid", `it has ${header.length} characters`);
  }
  let jwk: P256PublicJwk;
  let claims: z.infer<typeof ProofClaims>;
  try {
    const { payload, protectedHeader } = await jwtVerify(header, findKey, {
      algorithms: ALGORITHMS,
      // Its age is checked below, by the same clock in both directions.
      currentDate: new Date(now),
    });
    jwk = ProofHeader.parse(protectedHeader).jwk;
    claims = ProofClaims.parse(payload);
  } catch (error) {
    return refuse("proof_invalid", error instanceof Error ? error.name : "it does not verify");
  }
  if (claims.htm !== method || claims.htu !== url) {
    return refuse(
      "proof_invalid",
      `it is for ${claims.htm} ${claims.htu}, not for ${method} ${url}`.slice(0, 500),
    );
  }
  if (Math.abs(now / 1000 - claims.iat) > MAX_AGE_SECONDS) {
    return refuse(
      "proof_invalid",
      `its iat differs from the broker's clock by more than ${MAX_AGE_SECONDS} s`,
    );
  }
  const expectedAth = accessToken === undefined ? undefined : digestOf(accessToken);
  if (claims.ath !== expectedAth) {
    return refuse("proof_invalid", "its ath is not that of the access token");
  }
  return {
    ok: true,
    thumbprint: thumbprintOf(jwk),
    jti: claims.jti,
    expiresAt: (claims.iat + MAX_AGE_SECONDS + 1) * 1000,
  };
}

function digestOf(token: string): string {
  return hash("sha256", token, "base64url");
}
