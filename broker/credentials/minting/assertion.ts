/** What the broker says about a session to the authorization server of a server: a JWT of a minute, signed with its token key. */
import { randomUUID } from "node:crypto";
import { SignJWT } from "jose";
import type { SigningKeys } from "../../keys/signing-keys.ts";
import type { SignAssertion } from "../kind.ts";

const LIFETIME_SECONDS = 60;

export interface Asserting {
  readonly signingKeys: Pick<SigningKeys, "token">;
  readonly publicUrl: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export function createAssertions({ signingKeys, publicUrl, now }: Asserting): SignAssertion {
  return async ({ audience, subject, act }) => {
    const { kid, privateKey } = signingKeys.token;
    const issuedAt = Math.floor(now() / 1000);
    return (
      new SignJWT({ act })
        // Not `at+jwt`: nobody takes it for an access token of this broker.
        .setProtectedHeader({ alg: "ES256", typ: "JWT", kid })
        .setIssuer(publicUrl)
        .setSubject(subject)
        .setAudience(audience)
        .setIssuedAt(issuedAt)
        .setExpirationTime(issuedAt + LIFETIME_SECONDS)
        .setJti(randomUUID())
        .sign(privateKey)
    );
  };
}
