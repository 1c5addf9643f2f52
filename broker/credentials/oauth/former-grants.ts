/**
 * Grants that count no more, because they were removed or another one took their place: each is put among what is to be
 * ended (`ending.ts`) in the transaction that takes it out of the vault. One that its issuer may take for the same as a
 * grant that still counts, whoever has that, is held until none such is left: its end would be the end of both.
 */
import { createHash, randomUUID } from "node:crypto";
import { type SealingKey, SealingKeyUnusable } from "../../keys/sealing-key.ts";
import { type SecretOwner, listSecrets } from "../../storage/credentials/credential-secrets.ts";
import type { MintedCredentialRow } from "../../storage/credentials/credential-tables.ts";
import {
  addFormerGrant,
  explainHeldGrant,
  listHeldGrants,
  lockFormerGrants,
  releaseGrant,
} from "../../storage/credentials/former-grants.ts";
import { listPresented, retire } from "../../storage/credentials/minted-credentials.ts";
import type { Queries } from "../../storage/schema.ts";
import { inTransaction } from "../../storage/transactions.ts";
import { changeAlone } from "../minting/mint-lease.ts";
import { openMinted, openTicket, sealTicket } from "../minting/minted-content.ts";
import { type Vault, createVault } from "../vault/vault.ts";
import { type GrantTicket, mayBeOneGrant, readGrantTicket, writeGrantTicket } from "./grant-end.ts";
import { type StoredGrant, readGrant } from "./stored-grant.ts";

/** Whoever changed it tries first. */
const CLAIM_MS = 60_000;
const TRIED_MS = 30 * 24 * 60 * 60_000;

export interface GrantStore {
  readonly database: Queries;
  readonly sealingKey: SealingKey;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export interface FormerGrant {
  readonly row: MintedCredentialRow;
  readonly issuer: string;
  /** It may be one with a grant that counts: nobody ends it before that one is removed. */
  readonly isHeld: boolean;
}

export interface Change<T> {
  readonly result: T;
  /** What came out of the vault, and of what was held before what is held no more: the caller has a minute to end it. */
  readonly former: readonly FormerGrant[];
  /** There was one that does not open: whatever it is, it still counts. */
  readonly isUnreadable: boolean;
}

/** Nobody mints from it meanwhile, so that it is the newest refresh token that is ended. */
export async function changeGrant<T>(
  of: SecretOwner,
  store: GrantStore,
  change: (vault: Vault) => Promise<T>,
): Promise<Change<T>> {
  const { name, owner } = of;
  return changeAlone({ credential: name, owner }, store, async () =>
    inTransaction(store.database, async (database) => {
      const within = { ...store, database };
      await lockFormerGrants(database);
      const vault = createVault(within);
      const before = await openGrant(of, vault);
      const result = await change(vault);
      const tokens = await retirePresented(of, within);
      if (before.grant !== undefined) {
        await keepFormer({ ...of, ...before, ticket: { grant: before.grant, tokens } }, within);
      }
      const former = await settleFormer(within);
      const isNews = ({ row, isHeld }: FormerGrant): boolean =>
        !isHeld || (row.credential === name && row.owner === owner);
      return { result, former: former.filter(isNews), isUnreadable: before.isUnreadable };
    }),
  );
}

async function openGrant(
  of: SecretOwner,
  vault: Vault,
): Promise<{ grant?: StoredGrant | undefined; version?: number; isUnreadable: boolean }> {
  try {
    const [newest] = await vault.open({ ...of, kind: "oauth" });
    if (newest === undefined) return { isUnreadable: false };
    return { grant: readGrant(newest.secret), version: newest.version, isUnreadable: false };
  } catch (error) {
    // What cannot be opened can be removed all the same.
    if (!(error instanceof SealingKeyUnusable)) throw error;
    return { isUnreadable: true };
  }
}

/** What was minted for all sessions of the owner, and is presented by nobody from now on. */
async function retirePresented(
  { name: credential, owner }: SecretOwner,
  { database, sealingKey, now }: GrantStore,
): Promise<string[]> {
  const tokens: string[] = [];
  for (const row of await listPresented(database, { credential, owner })) {
    if (row.sealed !== null) {
      const opened = await openMinted(sealingKey, row, row.sealed).catch(() => undefined);
      if (opened?.value !== undefined) tokens.push(opened.value);
    }
    await retire(database, row.id, { from: now(), ends: false });
  }
  return tokens;
}

async function keepFormer(
  { name: credential, owner, version, ticket }: SecretOwner & { version?: number; ticket: GrantTicket },
  { database, sealingKey, now }: GrantStore,
): Promise<void> {
  const { grant } = ticket;
  const place = { id: randomUUID(), credential, owner, session: "", server: grant.resource };
  const { session: _, ...row } = place;
  const digest = createHash("sha256").update(grant.refresh_token ?? grant.access_token);
  await addFormerGrant(database, {
    ...row,
    ...{ secret_version: version ?? null, digest: digest.digest("hex"), created_at: now() },
    sealed_ticket: await sealTicket(sealingKey, place, {
      ticket: writeGrantTicket(ticket),
      // Everything that its end takes is in the ticket.
      entry: { kind: "oauth" },
    }),
  });
}

/** Of all that are held: those that cannot be one with a grant that counts are to be ended now. */
async function settleFormer(store: GrantStore): Promise<FormerGrant[]> {
  const { database, sealingKey, now } = store;
  const held = await listHeldGrants(database);
  if (held.length === 0) return [];
  const counting = await listCounting(store);
  const settled: FormerGrant[] = [];
  for (const row of held) {
    const opened = await openTicket(sealingKey, row, row.sealed_ticket ?? "").catch(() => undefined);
    // Somebody altered it, or its key is gone: it keeps no other one from being ended.
    if (opened === undefined) continue;
    const { grant } = readGrantTicket(opened.ticket);
    const { issuer } = grant;
    const other = counting.find((each) => each.grant === undefined || mayBeOneGrant(grant, each.grant));
    if (other === undefined) {
      const released = await releaseGrant(database, row.id, {
        from: now() + CLAIM_MS,
        until: now() + TRIED_MS,
      });
      settled.push({ row: released, issuer, isHeld: false });
      continue;
    }
    const whose = other.owner === "" ? other.name : `${other.name} of ${other.owner}`;
    const failure = `${issuer} may take it for the same grant as the one of ${whose}, and would end both: it is ended once that one is removed.`;
    await explainHeldGrant(database, row.id, failure);
    settled.push({ row: { ...row, failure }, issuer, isHeld: true });
  }
  return settled;
}

/** Those that were opened, and those that do not open, which may be any. */
async function listCounting({
  database,
  ...store
}: GrantStore): Promise<(SecretOwner & { readonly grant: StoredGrant | undefined })[]> {
  const vault = createVault({ database, ...store });
  const owners = new Map<string, SecretOwner>();
  for (const { name, owner, kind, sealed } of await listSecrets(database)) {
    if (kind === "oauth" && sealed !== null) owners.set(JSON.stringify([name, owner]), { name, owner });
  }
  const counting = [...owners.values()].map(async (of) => ({ ...of, ...(await openGrant(of, vault)) }));
  return (await Promise.all(counting))
    .filter(({ grant, isUnreadable }) => grant !== undefined || isUnreadable)
    .map(({ name, owner, grant }) => ({ name, owner, grant }));
}
