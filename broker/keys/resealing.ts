/**
 * Everything that is sealed, sealed anew under the sealing key that seals now, while brokers run: few rows at a time,
 * and one that changed meanwhile is left as whoever changed it sealed it. Every sealed column is named here, or what
 * stands in it is lost with the key that it was sealed with.
 */
import { z } from "zod";
import {
  answerPurpose,
  mintedPurpose,
  secretPurpose,
  ticketPurpose,
} from "../credentials/vault/seal-purposes.ts";
import {
  type SealedColumn,
  type SealedText,
  listSealed,
  replaceSealed,
} from "../storage/keys/sealed-columns.ts";
import type { Queries } from "../storage/schema.ts";
import { countSessionsBySaltKey } from "../storage/sessions/session-list.ts";
import { sealPurpose } from "./key-material.ts";
import type { KeySource, StoredSealingKey } from "./key-source.ts";
import { type SealingKey, kidOf } from "./sealing-key.ts";

const ROWS_AT_A_TIME = 100;

const SigningKey = z.object({ purpose: z.enum(["token", "checkpoint"]), kid: z.string() });
const Secret = z.object({ name: z.string(), owner: z.string(), version: z.number(), kind: z.string() });
const Minted = z.object({
  id: z.string(),
  credential: z.string(),
  owner: z.string(),
  session: z.string(),
  server: z.string(),
});
const Pending = z.object({ id: z.string(), credential: z.string(), owner: z.string() });
const minted = {
  table: "minted_credentials",
  key: ["id"],
  others: ["credential", "owner", "session", "server"],
};

export const SEALED_COLUMNS: readonly SealedColumn[] = [
  {
    table: "signing_keys",
    column: "sealed_private_jwk",
    key: ["kid"],
    others: ["purpose"],
    purposeOf: (row) => sealPurpose(SigningKey.parse(row)),
  },
  {
    table: "credential_secrets",
    column: "sealed",
    key: ["name", "owner", "version"],
    others: ["kind"],
    purposeOf: (row) => secretPurpose(Secret.parse(row)),
  },
  { ...minted, column: "sealed", purposeOf: (row) => mintedPurpose(Minted.parse(row)) },
  { ...minted, column: "sealed_ticket", purposeOf: (row) => ticketPurpose(Minted.parse(row)) },
  {
    table: "pending_connections",
    column: "sealed_answer",
    key: ["id"],
    others: ["credential", "owner"],
    purposeOf: (row) => answerPurpose(Pending.parse(row)),
  },
];

/** How many were sealed anew. Throws `SealingKeyUnusable` at one that does not open; those before it are done. */
export async function resealAll(database: Queries, sealingKey: SealingKey): Promise<number> {
  const { kid } = sealingKey;
  let resealed = 0;
  for (const column of SEALED_COLUMNS) {
    for await (const text of readAll(database, column)) {
      if (kidOf(text.sealed) === kid) continue;
      const purpose = column.purposeOf(text.row);
      const sealed = await sealingKey.seal(purpose, await sealingKey.open(purpose, text.sealed));
      if (await replaceSealed(database, column, { text, sealed })) resealed += 1;
    }
  }
  return resealed;
}

export interface KeyUse {
  readonly kid: string;
  readonly place: string;
  readonly sealsFrom: number;
  /** It is the one that seals now. */
  readonly seals: boolean;
  /** How much is sealed with it. */
  readonly sealed: number;
  /** How many running sessions have a salt that comes from it. */
  readonly sessions: number;
}

/** Of each key that there is. */
export async function listKeyUse(
  database: Queries,
  source: KeySource,
  { sealingKey, now }: { readonly sealingKey: SealingKey; readonly now: number },
): Promise<KeyUse[]> {
  const counts = new Map<string, number>();
  for (const column of SEALED_COLUMNS) {
    for await (const { sealed } of readAll(database, column)) {
      const kid = kidOf(sealed) ?? "";
      counts.set(kid, (counts.get(kid) ?? 0) + 1);
    }
  }
  const salted = await countSessionsBySaltKey(database, now);
  const keys: readonly StoredSealingKey[] = await source.read();
  return keys.map(({ kid, place, sealsFrom }) => ({
    kid,
    place,
    sealsFrom,
    seals: kid === sealingKey.kid,
    sealed: counts.get(kid) ?? 0,
    sessions: salted.get(kid) ?? 0,
  }));
}

async function* readAll(database: Queries, column: SealedColumn): AsyncGenerator<SealedText> {
  for (let after: SealedText | undefined; ; ) {
    const texts = await listSealed(database, column, { after, limit: ROWS_AT_A_TIME });
    yield* texts;
    after = texts.at(-1);
    if (texts.length < ROWS_AT_A_TIME) return;
  }
}
