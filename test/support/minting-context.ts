/** What a kind is told when it mints: a run of a robot, the broker's own way out, and a key that signs assertions. */
import { generateKeyPairSync } from "node:crypto";
import { generateKeyPair } from "jose";
import { createAssertions } from "../../broker/credentials/minting/assertion.ts";
import type { EntryOfKind, MintContext, MintingSession } from "../../broker/credentials/kind.ts";
import { openEgress } from "../../broker/egress/egress.ts";
import type { CredentialKindName } from "../../policies/documents/credential-entry.ts";

export const PUBLIC_URL = "https://lanyard.acme.example";

export const MINTING_SESSION: MintingSession = {
  id: "session-1",
  robot: "acme/payments/triager",
  claims: {
    iss: "https://token.actions.githubusercontent.com",
    sub: "repo:acme/payments:ref:refs/heads/main",
    repository: "acme/payments",
    repository_id: "456789",
    repository_owner_id: "123456",
  },
  repository: "acme/payments",
  repositoryId: "456789",
  repositoryOwner: "acme",
  runId: "987654321",
  runAttempt: "2",
  maxExpiresAt: Date.now() + 2 * 3_600_000,
};

const { askIssuer: ask } = openEgress({ isOwnNetwork: () => false, issuerTimeoutMs: 10_000 });

const { privateKey, publicKey } = await generateKeyPair("ES256", { extractable: true });
export { publicKey as assertionKey };
const token = { kid: "t1", privateKey, keyObject: undefined as never };
const signAssertion = createAssertions({ signingKeys: { token }, publicUrl: PUBLIC_URL, now: Date.now });

export function mintingContext<Name extends CredentialKindName>(
  entry: EntryOfKind<Name>,
  overrides: Partial<Omit<MintContext<Name>, "entry">> = {},
): MintContext<Name> {
  return {
    name: "notes",
    entry,
    secret: undefined,
    serverUrl: undefined,
    session: MINTING_SESSION,
    ask,
    signAssertion,
    publicUrl: PUBLIC_URL,
    now: Date.now,
    ...overrides,
  };
}

/** PEM. */
export const newPrivateKey = (bits = 2_048): string =>
  generateKeyPairSync("rsa", { modulusLength: bits })
    .privateKey.export({ type: "pkcs8", format: "pem" })
    .toString();
