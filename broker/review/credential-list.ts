/**
 * Every credential of the documents and of the database, with what is known of it: the page, the API and the command all
 * show this. What needs somebody stands first, then what runs out soonest.
 */
import { deliveryOf, ownershipOf } from "../../policies/delivery.ts";
import type { CredentialEntry } from "../../policies/documents/credential-entry.ts";
import type { Policies } from "../../policies/policies.ts";
import { listCredentialUsers, ownerInWords } from "../credentials/credential-users.ts";
import { kinds } from "../credentials/kinds/all.ts";
import { timestampOf } from "../sessions/session-row.ts";
import { listHealth } from "../storage/credentials/credential-health.ts";
import { listSecrets } from "../storage/credentials/credential-secrets.ts";
import type { CredentialHealthRow, CredentialSecretRow } from "../storage/credentials/credential-tables.ts";
import {
  type FormerCredentialRow,
  listFormerCredentials,
} from "../storage/credentials/former-credentials.ts";
import { type CredentialExpiry, listExpiries } from "../storage/credentials/minted-credentials.ts";
import type { Queries } from "../storage/schema.ts";
import { adviseOn } from "./credential-advice.ts";
import { type CredentialList, type CredentialView, HEALTHS } from "./credential-view.ts";

const SOON_MS = 14 * 86_400_000;
/** Of one credential and owner; the others are counted. */
const MAX_FORMER = 10;

interface Known {
  readonly secrets: readonly CredentialSecretRow[];
  readonly health: readonly CredentialHealthRow[];
  readonly expiries: readonly CredentialExpiry[];
  readonly former: readonly FormerCredentialRow[];
  readonly now: number;
}

/** A credential and one whose it is; `entry` is absent where the documents have no such thing. */
interface Owned {
  readonly name: string;
  readonly owner: string;
  readonly entry?: CredentialEntry;
  readonly servers: readonly string[];
  readonly roles: readonly string[];
}

export async function listCredentials({
  database,
  policies,
  now,
}: {
  readonly database: Queries;
  readonly policies: Policies;
  readonly now: number;
}): Promise<CredentialList> {
  const [secrets, health, expiries, former] = await Promise.all([
    listSecrets(database),
    listHealth(database),
    listExpiries(database),
    listFormerCredentials(database, { now, limit: MAX_FORMER }),
  ]);
  const known = { secrets, health, expiries, former, now };
  const credentials = listOwned(policies, known).map((owned) => describe(owned, known));
  return { credentials: credentials.toSorted(compare) };
}

/** Those of the documents first, then what is left of others. */
function listOwned(policies: Policies, { secrets, health, former }: Known): Owned[] {
  const named = [...policies.credentials].flatMap(([name, entry]) => {
    const { servers, roles, robots } = listCredentialUsers(policies, name);
    const owners = ownershipOf(entry) === "shared" ? [""] : robots;
    return owners.map((owner) => ({ name, owner, entry, servers, roles }));
  });
  const left = [
    ...secrets.filter(({ sealed }) => sealed !== null),
    ...former.map(({ credential: name, owner }) => ({ name, owner })),
    ...health
      .filter(({ failing_since }) => failing_since !== null)
      .map(({ credential: name, owner }) => ({ name, owner })),
  ].map(({ name, owner }): Owned => ({ name, owner, servers: [], roles: [] }));
  const found = new Map<string, Owned>();
  for (const owned of [...named, ...left]) {
    const key = JSON.stringify([owned.name, owned.owner]);
    if (!found.has(key)) found.set(key, owned);
  }
  return [...found.values()];
}

function describe(owned: Owned, known: Known): CredentialView {
  const { name, owner, entry, servers, roles } = owned;
  const { now } = known;
  const isIts = (row: { readonly credential: string; readonly owner: string }): boolean =>
    row.credential === name && row.owner === owner;
  const live = known.secrets.filter((row) => row.name === name && row.owner === owner && row.sealed !== null);
  const newest = live.find(({ kind, valid_until }) => valid_until === null && (entry?.kind ?? kind) === kind);
  const fallback = live.find(({ valid_until }) => valid_until !== null && valid_until > now);
  const state = known.health.find(isIts);
  const former = known.former.filter(isIts);
  const lastUsed = Math.max(0, ...[...live, ...(state ? [state] : [])].map((row) => row.last_used_at ?? 0));
  const health = judge({ entry, newest, state, now });
  return {
    credential: name,
    kind: entry?.kind ?? live[0]?.kind ?? null,
    owner: ownerInWords(owner),
    delivery: entry === undefined ? null : deliveryOf(entry),
    ...{ servers: [...servers], roles: [...roles] },
    health,
    sentence: adviseOn(health, { name, owner, entry, failure: state?.failure, isStored: live.length > 0 }),
    failing: describeFailing(state),
    version: newest?.version ?? null,
    digest: newest?.digest.slice(0, 12) ?? null,
    set_at: timeOf(newest?.created_at),
    set_by: newest === undefined ? null : (newest.created_by ?? "the broker"),
    fallback_until: timeOf(fallback?.valid_until),
    last_used_at: timeOf(lastUsed === 0 ? null : lastUsed),
    last_good_at: timeOf(state?.last_good_at),
    expires_at: timeOf(newest?.expires_at),
    presented_until: timeOf(known.expiries.find(isIts)?.expiresAt),
    former: former.map(describeFormer),
    former_left_out: (former[0]?.total ?? 0) - former.length,
  };
}

interface Judged {
  readonly entry: CredentialEntry | undefined;
  readonly newest: CredentialSecretRow | undefined;
  readonly state: CredentialHealthRow | undefined;
  readonly now: number;
}

/** Failing comes before all: it is what an alert counts. */
function judge({ entry, newest, state, now }: Judged): CredentialView["health"] {
  if ((state?.failing_since ?? null) !== null) return "failing";
  if (entry === undefined) return "not in the documents";
  if (newest === undefined && needsSecret(entry)) return "not set";
  const expiresAt = newest?.expires_at ?? Number.POSITIVE_INFINITY;
  return expiresAt <= now ? "expired" : expiresAt <= now + SOON_MS ? "expires soon" : "good";
}

/** What people set, and what `connect` stores. */
function needsSecret({ kind }: CredentialEntry): boolean {
  return kind === "oauth" || kinds[kind]?.asksFor !== undefined;
}

function describeFailing(state: CredentialHealthRow | undefined): CredentialView["failing"] {
  const { failing_since: since, failure_code: code, failure } = state ?? {};
  if (since === undefined || since === null) return null;
  return { since: timestampOf(since), code: code ?? "unavailable", sentence: failure ?? "" };
}

function describeFormer(row: FormerCredentialRow): CredentialView["former"][number] {
  const { session, run, secret_version, server, digest, state, created_at, expires_at } = row;
  return {
    ...{ session: session === "" ? null : session, run, version: secret_version, server },
    digest: digest === "" ? null : digest,
    state: state === "ending" ? "ending" : "lapsing",
    since: timestampOf(created_at),
    expires_at: session === "" ? null : timeOf(expires_at),
    ...{ attempts: row.attempts, failure: row.failure },
  };
}

function compare(a: CredentialView, b: CredentialView): number {
  return (
    rankOf(a) - rankOf(b) ||
    compareTexts(a.expires_at ?? "~", b.expires_at ?? "~") ||
    compareTexts(a.credential, b.credential) ||
    compareTexts(a.owner, b.owner)
  );
}

/** Among equals, what its issuer did not end comes first. */
function rankOf({ health, former }: CredentialView): number {
  return 2 * HEALTHS.indexOf(health) + (former.some(({ failure }) => failure !== null) ? 0 : 1);
}

function compareTexts(a: string, b: string): number {
  return Number(a > b) - Number(a < b);
}

function timeOf(milliseconds: number | null | undefined): string | null {
  return milliseconds === null || milliseconds === undefined ? null : timestampOf(milliseconds);
}
