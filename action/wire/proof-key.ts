/**
 * The proxy's key pair and its DPoP proofs (RFC 9449).
 * The private half cannot be exported, not even by this process, and dies with it: a session is worth nothing elsewhere.
 */
import { hash, randomUUID } from "node:crypto";
import { CompactSign, exportJWK, generateKeyPair } from "jose";

interface ProofTarget {
  readonly method: string;
  readonly url: string;
  /** Where the proof goes with an access token, the proof names it. */
  readonly accessToken?: string;
}

export interface ProofKey {
  /** A proof for one request, made now; good once. */
  prove(target: ProofTarget): Promise<string>;
}

export async function createProofKey(): Promise<ProofKey> {
  const { privateKey, publicKey } = await generateKeyPair("ES256", { extractable: false });
  const header = { typ: "dpop+jwt", alg: "ES256", jwk: await exportJWK(publicKey) };
  return {
    prove: ({ method, url, accessToken }) => {
      const { origin, pathname } = new URL(url);
      const ath = accessToken === undefined ? {} : { ath: hash("sha256", accessToken, "base64url") };
      // RFC 9449, section 4.2: `htu` is the target without query and fragment.
      const claims = { htm: method, htu: `${origin}${pathname}`, ...ath, jti: randomUUID() };
      const iat = Math.floor(Date.now() / 1000);
      return new CompactSign(Buffer.from(JSON.stringify({ ...claims, iat })))
        .setProtectedHeader(header)
        .sign(privateKey);
    },
  };
}
