/**
 * What an issuer gives out for a trial stands among what is to be ended, as what was minted for a session does: before the
 * issuer is asked, so that brokers end what the command does not, and list what nobody can end.
 */
import { createHash, randomUUID } from "node:crypto";
import { canonicalize } from "../../../audit/canonical.ts";
import { endOne } from "../../credentials/ending.ts";
import type { EndResult, MintContext, MintFailure, Minted, UnwantedMint } from "../../credentials/kind.ts";
import type { AnyKind } from "../../credentials/minting/mint-target.ts";
import { sealTicket } from "../../credentials/minting/minted-content.ts";
import type { Vault } from "../../credentials/vault/vault.ts";
import type { SealingKey } from "../../keys/sealing-key.ts";
import {
  addAsked,
  dropAsked,
  findMinted,
  storeUnwanted,
} from "../../storage/credentials/minted-credentials.ts";
import type { Queries } from "../../storage/schema.ts";

/** Longer than a server is given to answer; then brokers take the command for gone. */
const TRIAL_MS = 45_000;

interface TrialStore {
  readonly database: Queries;
  readonly sealingKey: SealingKey;
  readonly vault: Vault;
}

export interface TrialMinting {
  readonly kind: AnyKind;
  readonly context: MintContext<AnyKind["name"]>;
  readonly owner: string;
  /** Of the secret behind it. */
  readonly version: number | undefined;
}

export type TrialMint =
  | {
      readonly ok: true;
      readonly minted: Minted;
      /** Undefined: its issuer ends none. */
      readonly end: () => Promise<EndResult | undefined>;
    }
  | MintFailure;

export async function mintForTrial(minting: TrialMinting, store: TrialStore): Promise<TrialMint> {
  const { kind, context, owner, version } = minting;
  const { name, session, serverUrl, entry, ask, publicUrl, now } = context;
  const { database, sealingKey } = store;
  const place = {
    credential: name,
    owner,
    session: session?.id ?? `trial_${randomUUID()}`,
    server: serverUrl ?? "",
  };
  const asked = { ...place, id: randomUUID(), basis: "", created_at: now() };
  const keep = async (given: Minted | UnwantedMint, from: number): Promise<void> => {
    const { ticket, expiresAt } = given;
    const content = { ticket: ticket ?? "", entry, serverUrl, session: session && { ...session } };
    const isEndless = ticket === undefined || kind.end === undefined;
    const answer = {
      ...{ id: asked.id, digest: digestOf(given), secret_version: version ?? null },
      sealed_ticket: isEndless ? null : await sealTicket(sealingKey, asked, content),
      expires_at: expiresAt ?? null,
    };
    await storeUnwanted(database, answer, from);
  };
  await addAsked(database, asked);
  const result = await kind.mint(context);
  if (!result.ok) {
    if (result.unwanted === undefined) await dropAsked(database, asked.id);
    else await keep(result.unwanted, now());
    return { ok: false, code: result.code, sentence: result.sentence };
  }
  await keep(result.minted, now() + TRIAL_MS);
  return {
    ok: true,
    minted: result.minted,
    end: async () => {
      const row = await findMinted(database, asked.id);
      if (row?.state !== "ending") return undefined;
      return endOne(row, { ...store, ask, publicUrl, now, tell: () => {} });
    },
  };
}

function digestOf(given: Minted | UnwantedMint): string {
  const shown = "headers" in given ? { headers: given.headers, env: given.env } : {};
  return createHash("sha256")
    .update(given.value ?? canonicalize(shown))
    .digest("hex");
}
