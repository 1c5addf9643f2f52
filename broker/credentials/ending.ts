/**
 * The cascade: what was minted for a session is ended at its issuer once the session is over, however it ended and
 * whoever ended it. What is to be ended stands in the database: any broker picks it up, it is tried again later and later
 * until it is done or has run out, and a broker that dies over it leaves it to the others.
 */
import type { CredentialEntry } from "../../policies/documents/credential-entry.ts";
import type { MintedCredentialRow } from "../storage/credentials/credential-tables.ts";
import { forgetLeases } from "../storage/credentials/leases.ts";
import {
  claimEnding,
  forgetEnded,
  giveUpAsked,
  hurryReplaced,
  listOfEndedSessions,
  noteEndFailed,
  noteEnded,
  noteEndless,
  noteRunOut,
} from "../storage/credentials/ending-credentials.ts";
import { retire } from "../storage/credentials/minted-credentials.ts";
import type { AskIssuer, EndResult } from "./kind.ts";
import { refused, unavailable } from "./minting/mint-failure.ts";
import { kindOf } from "./minting/mint-target.ts";
import { openTicket } from "./minting/minted-content.ts";
import type { RefreshingParts } from "./minting/refreshing.ts";

/** At a time; the rest a moment later. */
const MAX_AT_ONCE = 50;
/** Whoever claimed it is given so long. */
const CLAIM_MS = 30_000;
const FIRST_PAUSE_MS = 2_000;
const MAX_PAUSE_MS = 5 * 60_000;
/** Longer than anybody has the lease to ask. */
const ASKED_MS = 120_000;
/** No issuer gives out more for a session. */
const LOST_LIFE_MS = 12 * 60 * 60_000;
/** What serves no session that is kept is kept so long after its end. */
const ENDED_KEPT_MS = 24 * 60 * 60_000;
const ANSWER_LOST =
  "A broker ended between the issuer's answer and its storage: if something was given out, nobody can end it before it runs out.";

export type EndingParts = Omit<RefreshingParts, "signAssertion"> & {
  readonly ask: AskIssuer;
  /** As the documents have it now; absent: nothing is told but what it was asked for with. */
  readonly findEntry?: (credential: string) => CredentialEntry | undefined;
};

/** Ends what is due. Returns whether more is due already. */
export async function endDue(parts: EndingParts): Promise<boolean> {
  const { database, now } = parts;
  const over = await listOfEndedSessions(database, { now: now(), limit: MAX_AT_ONCE });
  await hurryReplaced(database, { now: now(), after: now() + 2 * CLAIM_MS });
  for (const { id } of over) await retire(database, id, { from: now(), ends: true });
  const until = now() + CLAIM_MS;
  const due = await claimEnding(database, { now: now(), until, limit: MAX_AT_ONCE });
  await Promise.all(due.map(async (row) => endOne(row, parts)));
  return over.length === MAX_AT_ONCE || due.length === MAX_AT_ONCE;
}

/** Nothing depends on when it is called. */
export async function tidyMinted({ database, now, tell }: EndingParts): Promise<void> {
  const lost = { before: now() - ASKED_MS, expiresAt: now() + LOST_LIFE_MS, failure: ANSWER_LOST };
  for (const { credential, owner, session } of await giveUpAsked(database, lost)) {
    tell({ code: "credential_answer_lost", credential, owner, session, sentence: ANSWER_LOST });
  }
  for (const { credential, owner, session, failure } of await noteRunOut(database, now())) {
    // What was minted has run out by itself, which a grant does not.
    if (session !== "" || failure === null) continue;
    const sentence = `${failure} It is not tried any more: end it there by hand.`;
    tell({ code: "credential_not_endable", credential, owner, sentence });
  }
  await forgetEnded(database, now() - ENDED_KEPT_MS);
  await forgetLeases(database, now() - ENDED_KEPT_MS);
}

/** Whoever calls has claimed it. */
export async function endOne(row: MintedCredentialRow, parts: EndingParts): Promise<EndResult> {
  const { database, now, tell } = parts;
  const { id, credential, owner, session, attempts } = row;
  const result = await askForEnd(row, parts);
  if (result.ok) {
    await noteEnded(database, id, now());
    tell({ code: "credential_ended", credential, owner, session });
    return result;
  }
  const { sentence } = result;
  if (result.code === "impossible") {
    await noteEndless(database, id, sentence);
    tell({ code: "credential_not_endable", credential, owner, session, sentence });
    return result;
  }
  const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** attempts, MAX_PAUSE_MS);
  await noteEndFailed(database, id, { failure: sentence, nextAttemptAt: now() + pauseMs });
  tell({ code: "credential_not_ended", credential, owner, session, sentence });
  return result;
}

async function askForEnd(
  row: MintedCredentialRow,
  { sealingKey, vault, ask, publicUrl, now, findEntry }: EndingParts,
): Promise<EndResult> {
  const { credential: name, owner } = row;
  if (row.sealed_ticket === null) return refused("What its issuer needs to end it is not there.");
  try {
    const { ticket, entry, serverUrl, session } = await openTicket(sealingKey, row, row.sealed_ticket);
    const kind = kindOf(entry);
    if (kind?.end === undefined) return refused(`Credentials of the kind ${entry.kind} cannot be ended.`);
    const present = findEntry?.(name);
    const isSameIssuer = present !== undefined && issuerOf(present) === issuerOf(entry);
    // What was set for another issuer since is not told to this one.
    const secrets = (await vault.open({ name, owner, kind: kind.name })).filter(
      ({ version }) => isSameIssuer || version === row.secret_version,
    );
    let first: EndResult | undefined;
    for (const secret of secrets.length === 0 ? [undefined] : secrets) {
      const context = { name, entry, secret: secret?.secret, serverUrl, session, ask, publicUrl, now };
      const result = await kind.end(ticket, context);
      if (result.ok || result.code !== "refused") return result;
      first ??= result;
    }
    return first ?? unavailable("It was not tried.");
  } catch {
    // What was thrown may quote what it read.
    return unavailable(`The issuer of the credential ${name} did not answer as it should.`);
  }
}

/** Who hears the secret behind it. */
function issuerOf(entry: CredentialEntry): string {
  const { issuer, token_url } = { issuer: undefined, token_url: undefined, ...entry };
  return JSON.stringify([entry.kind, issuer, token_url]);
}
