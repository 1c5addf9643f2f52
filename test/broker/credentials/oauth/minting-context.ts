/** What a kind is given in tests: a guarded way out and a clock, and a key that signs assertions. */
import { generateKeyPair } from "jose";
import type { CredentialKindName } from "../../../../policies/documents/credential-entry.ts";
import { createAssertions } from "../../../../broker/credentials/assertion.ts";
import type { EntryOfKind, MintContext, MintingSession } from "../../../../broker/credentials/kind.ts";
import { openEgress } from "../../../../broker/egress/egress.ts";

export const PUBLIC_URL = "https://lanyard.acme.example";

export const session: MintingSession = {
  id: "ses_1",
  robot: "acme/payments/triager",
  claims: {
    iss: "https://token.actions.githubusercontent.com",
    sub: "repo:acme/payments:ref:refs/heads/main",
  },
  repository: "acme/payments",
  repositoryId: "456789",
  repositoryOwner: "acme",
  runId: "42",
  runAttempt: "1",
  maxExpiresAt: Date.now() + 3_600_000,
};

const { askIssuer: ask } = openEgress({ isOwnNetwork: () => false, issuerTimeoutMs: 5_000 });

const { privateKey, publicKey } = await generateKeyPair("ES256", { extractable: true });
export { publicKey };
const token = { kid: "t1", privateKey, keyObject: undefined as never };

export function contextOf<Name extends CredentialKindName>(
  entry: EntryOfKind<Name>,
  given: Partial<MintContext<Name>> = {},
): MintContext<Name> {
  const signAssertion = createAssertions({ signingKeys: { token }, publicUrl: PUBLIC_URL, now: Date.now });
  return {
    ...{ name: "notes", entry, secret: undefined, serverUrl: undefined, session, ask, signAssertion },
    ...{ publicUrl: PUBLIC_URL, now: Date.now },
    ...given,
  };
}
