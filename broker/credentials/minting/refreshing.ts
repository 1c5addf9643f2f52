/**
 * Mints anew, alone: of all brokers the one with the lease asks the issuer, and stores what it got before anybody uses
 * it. What is asked for stands in the database before the issuer hears of it; what a session no longer wants when the
 * answer is there is ended instead of presented.
 */
import { createHash, randomUUID } from "node:crypto";
import { canonicalize } from "../../../audit/canonical.ts";
import type { SealingKey } from "../../keys/sealing-key.ts";
import { noteFailing, noteGood } from "../../storage/credentials/credential-health.ts";
import { listSecretVersions } from "../../storage/credentials/credential-secrets.ts";
import type { MintedCredentialRow } from "../../storage/credentials/credential-tables.ts";
import {
  type StoredAnswer,
  activate,
  addAsked,
  dropAsked,
  findActive,
  hasLostAnswer,
  retire,
  storeUnwanted,
} from "../../storage/credentials/minted-credentials.ts";
import type { Queries, SessionRow } from "../../storage/schema.ts";
import { inTransaction, lockSession } from "../../storage/transactions.ts";
import { DatabaseUnavailable } from "../../storage/unavailable.ts";
import type { TellCredential } from "../credential-event.ts";
import type { AskIssuer, MintFailure, Minted, SignAssertion, UnwantedMint } from "../kind.ts";
import { refused, unavailable } from "./mint-failure.ts";
import type { MintTarget } from "./mint-target.ts";
import { type MintedContent, sealMinted, sealTicket } from "./minted-content.ts";
import type { OpenedSecret, Vault } from "../vault/vault.ts";

const STORE_TRIES = 6;
const STORE_PAUSE_MS = 250;
/** As long as an answer that was lost may explain what the issuer says next. */
const LOST_ANSWER_MS = 24 * 60 * 60_000;

export interface RefreshingParts {
  readonly database: Queries;
  readonly sealingKey: SealingKey;
  readonly vault: Vault;
  readonly publicUrl: string;
  readonly signAssertion: SignAssertion;
  readonly tell: TellCredential;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

export type Refreshed =
  | { readonly ok: true; readonly row: MintedCredentialRow; readonly content: MintedContent }
  | MintFailure;

/** The highest version that a person set: what the broker got in exchange for it is the same grant. */
export async function findSecretVersion(
  db: Queries,
  { place: { credential: name, owner } }: MintTarget,
): Promise<number | null> {
  const rows = await listSecretVersions(db, { name, owner });
  return rows.find(({ created_by }) => created_by !== null)?.version ?? null;
}

/** The caller has the lease, and `ask` asks nobody once it is about to run out. */
export async function mintAnew(
  target: MintTarget,
  { ask, ...parts }: RefreshingParts & { readonly ask: AskIssuer },
): Promise<Refreshed> {
  const { database, now, tell } = parts;
  const { place, basis } = target;
  const { credential, owner } = place;
  const secrets = await openSecrets(target, parts);
  const asked = { ...place, id: randomUUID(), basis, created_at: now() };
  const isAsked = await inTransaction(database, async (db) => {
    if (!(await isWanted(db, target, now()))) return false;
    await addAsked(db, asked);
    return true;
  });
  if (!isAsked) return refused("The session is over.");

  const result: Asked = secrets.ok ? await askKind(target, secrets.secrets, { ...parts, ask }) : secrets;
  if (!result.ok) {
    if (result.unwanted === undefined) await dropAsked(database, asked.id);
    else await keepUnwanted({ target, asked: asked.id, minted: result.unwanted }, parts);
    const isExplained =
      result.code === "refused" && (await hasLostAnswer(database, place, now() - LOST_ANSWER_MS));
    const sentence = isExplained
      ? `${result.sentence} A broker ended before it could store what the issuer gave it last: if that was a new refresh token, it is lost.`
      : result.sentence;
    const { code } = result;
    await noteFailing(database, place, { code, sentence, at: now() });
    tell({ code: "credential_failing", credential, owner, session: target.session?.id, sentence });
    return { ok: false, code, sentence };
  }
  return keepAnswer({ target, asked: asked.id, ...result }, parts);
}

interface GivenOut {
  readonly target: MintTarget;
  /** The row of the intent. */
  readonly asked: string;
  readonly minted: Minted | UnwantedMint;
}
interface Answer extends GivenOut {
  readonly minted: Minted;
  readonly secret: OpenedSecret | undefined;
}

/** The session need not be over for it to be ended. */
async function keepUnwanted(given: GivenOut, parts: RefreshingParts): Promise<void> {
  const { database, now } = parts;
  const stored = await describeAnswer(given, parts);
  await insist(async () => storeUnwanted(database, stored, now()));
}

async function describeAnswer(
  given: GivenOut,
  { database, sealingKey }: RefreshingParts,
): Promise<Omit<StoredAnswer, "sealed">> {
  const { target, minted, asked } = given;
  return {
    id: asked,
    digest: digestOf(minted),
    secret_version: await insist(async () => findSecretVersion(database, target)),
    sealed_ticket: await sealEnd(given, sealingKey),
    expires_at: minted.expiresAt ?? null,
  };
}

async function keepAnswer(answer: Answer, parts: RefreshingParts): Promise<Refreshed> {
  const { target, minted, secret, asked } = answer;
  const { place, kind } = target;
  const { credential: name, owner } = place;
  const { database, sealingKey, vault, now, tell } = parts;
  const { headers, env, value, secrets } = minted;
  const stored: StoredAnswer = {
    ...(await describeAnswer(answer, parts)),
    sealed: await sealMinted(sealingKey, { ...place, id: asked }, minted),
  };
  const row = await insist(async () =>
    inTransaction(database, async (db) => {
      const wanted = await isWanted(db, target, now());
      if (minted.replacement !== undefined && secret !== undefined) {
        const given = { name, owner, kind: kind.name, secret: minted.replacement };
        await vault.replace(db, { ...given, version: secret.version });
      }
      if (!wanted) {
        await storeUnwanted(db, stored, now());
        return undefined;
      }
      const before = await findActive(db, place);
      if (before !== undefined) {
        // Calls and processes still have it: it runs out by itself, or is ended with the session. Of those that serve
        // all sessions the issuer may end more than the one.
        const from = before.expires_at ?? now();
        await retire(db, before.id, { from, ends: place.session !== "" });
      }
      await activate(db, stored);
      return findActive(db, place);
    }),
  );
  if (row === undefined) return refused("The session is over.");
  await noteGood(database, place, now());
  const { session } = target;
  tell({
    ...{ code: "credential_minted", credential: name, owner },
    ...{ session: session?.id, expiresAt: minted.expiresAt },
  });
  return {
    ok: true,
    row,
    content: { headers: { ...headers }, env: { ...env }, value, secrets: [...secrets] },
  };
}

/** The issuer has given it out: a database that does not answer for a moment must not lose it. */
async function insist<T>(store: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await store();
    } catch (error) {
      if (!(error instanceof DatabaseUnavailable) || tries === STORE_TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, STORE_PAUSE_MS * tries));
    }
  }
}

type Secrets = { readonly ok: true; readonly secrets: readonly (OpenedSecret | undefined)[] } | MintFailure;

async function openSecrets(
  { place: { credential: name, owner }, kind }: MintTarget,
  { vault }: RefreshingParts,
): Promise<Secrets> {
  const secrets = await vault.open({ name, owner, kind: kind.name });
  if (secrets.length > 0) return { ok: true, secrets };
  const of = owner === "" ? name : `${name} --robot ${owner}`;
  if (kind.lifetime === "owner") {
    return refused(`Nobody has granted the credential ${name}: run \`lanyard credential connect ${of}\`.`);
  }
  return kind.asksFor === undefined
    ? { ok: true, secrets: [undefined] }
    : refused(`The credential ${name} is not set: run \`lanyard credential set ${of}\`.`);
}

type Asked =
  | { readonly ok: true; readonly minted: Minted; readonly secret: OpenedSecret | undefined }
  | (MintFailure & { readonly unwanted?: UnwantedMint });

/** With the newest secret first; one before it, as long as it is a fallback, where the issuer does not take that. */
async function askKind(
  { place, kind, entry, serverUrl, session }: MintTarget,
  secrets: readonly (OpenedSecret | undefined)[],
  { ask, signAssertion, publicUrl, now }: RefreshingParts & { readonly ask: AskIssuer },
): Promise<Asked> {
  let first: Exclude<Asked, { ok: true }> | undefined;
  for (const secret of secrets) {
    try {
      const context = { name: place.credential, entry, secret: secret?.secret, serverUrl, session };
      const result = await kind.mint({ ...context, ask, signAssertion, publicUrl, now });
      if (result.ok) return { ok: true, minted: result.minted, secret };
      if (result.code === "unavailable" || result.unwanted !== undefined) return result;
      first ??= result;
    } catch (cause) {
      if (cause instanceof DatabaseUnavailable) throw cause;
      // What was thrown may quote what it read.
      return unavailable(`The issuer of the credential ${place.credential} did not answer as it should.`);
    }
  }
  return first ?? refused(`The credential ${place.credential} is not set.`);
}

async function sealEnd({ target, asked, minted }: GivenOut, key: SealingKey): Promise<string | null> {
  const { place, kind, entry, serverUrl, session } = target;
  const { ticket } = minted;
  if (ticket === undefined || kind.end === undefined) return null;
  return sealTicket(
    key,
    { ...place, id: asked },
    { ticket, entry, serverUrl, session: session && { ...session } },
  );
}

function digestOf(minted: GivenOut["minted"]): string {
  const { value } = minted;
  const shown = "headers" in minted ? { headers: minted.headers, env: minted.env } : {};
  return createHash("sha256")
    .update(value ?? canonicalize(shown))
    .digest("hex");
}

/** In a transaction: until it is over, the session neither ends nor is it renewed. */
async function isWanted(db: Queries, { place }: MintTarget, now: number): Promise<boolean> {
  return place.session === "" || isAlive(await lockSession(db, place.session), now);
}

function isAlive(row: SessionRow | undefined, now: number): boolean {
  return row !== undefined && row.state === "active" && row.expires_at > now;
}
