/**
 * Connections that were begun at a command and are answered through somebody's browser. The broker keeps the answer for
 * the command and does nothing with it: what makes it worth something, the PKCE verifier, never leaves the command.
 * A state is good for ten minutes and for one answer, at the redirect address that it was sent out with.
 */
import { createHash, randomUUID } from "node:crypto";
import { z } from "zod";
import type { SealingKey } from "../../keys/sealing-key.ts";
import {
  addPendingConnection,
  answerPending,
  dropPendingConnection,
  findAnswer,
  findUnanswered,
} from "../../storage/credentials/pending-connections.ts";
import type { Queries } from "../../storage/schema.ts";
import { answerPurpose } from "../vault/seal-purposes.ts";

export const CONNECTION_MS = 10 * 60_000;

const text = (max: number) => z.exactOptional(z.string().max(max));
/** What an authorization server adds to the redirect address: RFC 6749, section 4.1.2; RFC 9207. */
export const ConnectionAnswer = z.object({ code: text(4_096), iss: text(2_000), error: text(200) });
export type ConnectionAnswer = z.infer<typeof ConnectionAnswer>;

/** What is known of an answer before it is read. */
interface Expected {
  readonly state: string;
  /** Of the request, and of the answer. */
  readonly redirectAddress: string;
}

export interface Begun {
  readonly id: string;
  readonly credential: string;
  readonly owner: string;
}

export interface ConnectionStore {
  readonly database: Queries;
  readonly sealingKey: SealingKey;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export async function beginConnection(
  { database, now }: ConnectionStore,
  { state, redirectAddress, ...of }: Expected & Omit<Begun, "id">,
): Promise<Begun> {
  const begun = { ...of, id: randomUUID() };
  const created_at = now();
  await addPendingConnection(database, {
    ...begun,
    ...{ state_hash: hashOf({ state, redirectAddress }), created_at, expires_at: created_at + CONNECTION_MS },
  });
  return begun;
}

/** False: nobody waits for an answer with this state at this address, or no longer. */
export async function answerConnection(
  { database, sealingKey, now }: ConnectionStore,
  { answer, ...expected }: Expected & { readonly answer: ConnectionAnswer },
): Promise<boolean> {
  const row = await findUnanswered(database, { stateHash: hashOf(expected), now: now() });
  if (row === undefined) return false;
  const sealed = await sealingKey.seal(answerPurpose(row), Buffer.from(JSON.stringify(answer)));
  return answerPending(database, row.id, sealed);
}

/** Once; undefined: it is not there yet. */
export async function takeAnswer(
  { database, sealingKey }: ConnectionStore,
  begun: Begun,
): Promise<ConnectionAnswer | undefined> {
  const sealed = await findAnswer(database, begun.id);
  if (sealed === null) return undefined;
  await dropPendingConnection(database, begun.id);
  const opened = await sealingKey.open(answerPurpose(begun), sealed);
  return ConnectionAnswer.parse(JSON.parse(Buffer.from(opened).toString("utf8")));
}

export async function abandonConnection({ database }: ConnectionStore, { id }: Begun): Promise<void> {
  await dropPendingConnection(database, id);
}

function hashOf({ state, redirectAddress }: Expected): string {
  return createHash("sha256")
    .update(JSON.stringify([redirectAddress, state]))
    .digest("hex");
}
