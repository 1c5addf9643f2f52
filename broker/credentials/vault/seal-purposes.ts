/** What each sealed text of the credential room is sealed for: its own row, so that one that was swapped does not open. */
import type {
  CredentialSecretRow,
  MintedCredentialRow,
  PendingConnectionRow,
} from "../../storage/credentials/credential-tables.ts";

export function secretPurpose({
  name,
  owner,
  version,
  kind,
}: Pick<CredentialSecretRow, "name" | "owner" | "version" | "kind">): string {
  return `credential secret: ${JSON.stringify([name, owner, version, kind])}`;
}

type MintedKey = Pick<MintedCredentialRow, "id" | "credential" | "owner" | "session" | "server">;

/** Of what is presented. */
export function mintedPurpose({ id, credential, owner, session, server }: MintedKey): string {
  return `minted credential: ${JSON.stringify([id, credential, owner, session, server])}`;
}

/** Of what its issuer needs to end it. */
export function ticketPurpose({ id, credential, owner, session, server }: MintedKey): string {
  return `ticket of minted credential: ${JSON.stringify([id, credential, owner, session, server])}`;
}

/** Of what a browser brought back from an authorization server. */
export function answerPurpose({
  id,
  credential,
  owner,
}: Pick<PendingConnectionRow, "id" | "credential" | "owner">): string {
  return `answer to connection: ${JSON.stringify([id, credential, owner])}`;
}
