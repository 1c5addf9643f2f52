/** What is sealed of a minted credential: what is presented, and what it takes to end it without the documents. */
import { z } from "zod";
import { CredentialEntry } from "../../../policies/documents/credential-entry.ts";
import type { SealingKey } from "../../keys/sealing-key.ts";
import type { MintedCredentialRow } from "../../storage/credentials/credential-tables.ts";
import type { Minted } from "../kind.ts";
import { mintedPurpose, ticketPurpose } from "../vault/seal-purposes.ts";

const Texts = z.record(z.string(), z.string());

const MintedContent = z.strictObject({
  headers: Texts,
  env: Texts,
  value: z.string().optional(),
  secrets: z.array(z.string()),
});
export type MintedContent = z.infer<typeof MintedContent>;

const TicketContent = z.strictObject({
  ticket: z.string(),
  /** As it was when it was minted: the documents may not have it any more. */
  entry: CredentialEntry,
  serverUrl: z.string().optional(),
  session: z
    .strictObject({
      id: z.string(),
      robot: z.string(),
      claims: z.record(z.string(), z.unknown()),
      repository: z.string(),
      repositoryId: z.string(),
      repositoryOwner: z.string(),
      runId: z.string(),
      runAttempt: z.string(),
      maxExpiresAt: z.number(),
    })
    .optional(),
});
export type TicketContent = z.infer<typeof TicketContent>;

type Row = Pick<MintedCredentialRow, "id" | "credential" | "owner" | "session" | "server">;

export async function sealMinted(key: SealingKey, row: Row, minted: Minted): Promise<string> {
  const { headers, env, value, secrets } = minted;
  return key.seal(mintedPurpose(row), encode({ headers, env, value, secrets }));
}

/** Throws `SealingKeyUnusable` where it was not sealed for this row. */
export async function openMinted(key: SealingKey, row: Row, sealed: string): Promise<MintedContent> {
  return MintedContent.parse(decode(await key.open(mintedPurpose(row), sealed)));
}

export async function sealTicket(key: SealingKey, row: Row, content: TicketContent): Promise<string> {
  return key.seal(ticketPurpose(row), encode(content));
}

/** Throws `SealingKeyUnusable` where it was not sealed for this row. */
export async function openTicket(key: SealingKey, row: Row, sealed: string): Promise<TicketContent> {
  return TicketContent.parse(decode(await key.open(ticketPurpose(row), sealed)));
}

const encode = (content: object): Uint8Array => Buffer.from(JSON.stringify(content));
const decode = (bytes: Uint8Array): unknown => JSON.parse(Buffer.from(bytes).toString("utf8"));
