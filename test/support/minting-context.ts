/** What a kind is told when it mints: a run of a robot, and the broker's own way out. */
import { generateKeyPairSync } from "node:crypto";
import type { EntryOfKind, MintContext, MintingSession } from "../../broker/credentials/kind.ts";
import { openEgress } from "../../broker/egress/egress.ts";
import type { CredentialKindName } from "../../policies/documents/credential-entry.ts";

export const MINTING_SESSION: MintingSession = {
  id: "session-1",
  robot: "acme/payments/triager",
  claims: { repository: "acme/payments", repository_id: "456789", repository_owner_id: "123456" },
  repository: "acme/payments",
  repositoryId: "456789",
  repositoryOwner: "acme",
  runId: "987654321",
  runAttempt: "2",
  maxExpiresAt: Date.now() + 2 * 3_600_000,
};

export function mintingContext<Name extends CredentialKindName>(
  entry: EntryOfKind<Name>,
  overrides: Partial<Omit<MintContext<Name>, "entry">> = {},
): MintContext<Name> {
  return {
    name: "credential",
    entry,
    secret: undefined,
    serverUrl: undefined,
    session: MINTING_SESSION,
    ask: openEgress({ isOwnNetwork: () => true }).askIssuer,
    signAssertion: async () => "assertion",
    publicUrl: "https://lanyard.example",
    now: Date.now,
    ...overrides,
  };
}

/** PEM. */
export const newPrivateKey = (bits = 2_048): string =>
  generateKeyPairSync("rsa", { modulusLength: bits })
    .privateKey.export({ type: "pkcs8", format: "pem" })
    .toString();
