/** Every credential of the documents and of the database, with what is known of it; of secrets, digests alone. */
import { deliveryOf, ownershipOf } from "../../../policies/delivery.ts";
import type { CredentialEntry } from "../../../policies/documents/credential-entry.ts";
import type { Policies } from "../../../policies/policies.ts";
import { type CredentialUsers, listCredentialUsers } from "../../credentials/credential-users.ts";
import { kinds } from "../../credentials/kinds/all.ts";
import type {
  CredentialHealthRow,
  CredentialSecretRow,
  MintedCredentialRow,
} from "../../storage/credentials/credential-tables.ts";

type Health = "good" | "failing" | "expires soon" | "expired" | "not set" | "not in the documents";

const SOON_MS = 14 * 86_400_000;

export interface ListedCredential {
  readonly credential: string;
  readonly kind: string;
  /** `shared` or `owner/repo/name`. */
  readonly owner: string;
  readonly delivery: string | null;
  readonly servers: readonly string[];
  readonly roles: readonly string[];
  readonly version: number | null;
  readonly digest: string | null;
  readonly set_at: string | null;
  readonly set_by: string | null;
  /** The version before counts until then, where a server refuses the newest. */
  readonly fallback_until: string | null;
  readonly last_used_at: string | null;
  readonly expires_at: string | null;
  readonly health: Health;
  readonly failing_since: string | null;
  readonly failure: string | null;
  /** Grants that count no more here, and may still at their issuer. */
  readonly former: readonly FormerGrant[];
}

interface FormerGrant {
  readonly version: number | null;
  readonly server: string;
  readonly since: string;
  /** Why it was not ended; null: it is tried in a moment. */
  readonly failure: string | null;
}

export interface Known {
  readonly policies: Policies;
  /** By name and owner, newest first. */
  readonly secrets: readonly CredentialSecretRow[];
  readonly health: readonly CredentialHealthRow[];
  readonly former: readonly MintedCredentialRow[];
  readonly now: number;
}

export function describeCredentials(known: Known): ListedCredential[] {
  const { policies, secrets } = known;
  const listed = [...policies.credentials].flatMap(([name, entry]) => {
    const users = listCredentialUsers(policies, name);
    const owners = ownershipOf(entry) === "shared" ? [""] : users.robots;
    return owners.map((owner) => describe({ name, owner, entry, users }, known));
  });
  const kept = secrets.filter(({ sealed }) => sealed !== null);
  const ending = known.former.map(({ credential: name, owner }) => ({ name, owner }));
  const orphans = [...kept, ...ending].filter(
    ({ name, owner }) =>
      !listed.some((each) => each.credential === name && each.owner === (owner || "shared")),
  );
  const users = { servers: [], roles: [], robots: [] };
  const keys = new Map(orphans.map(({ name, owner }) => [JSON.stringify([name, owner]), { name, owner }]));
  return [
    ...listed,
    ...[...keys.values()].map((key) => describe({ ...key, entry: undefined, users }, known)),
  ].toSorted((a, b) => Number(a.credential > b.credential) - Number(a.credential < b.credential));
}

interface Owned {
  readonly name: string;
  readonly owner: string;
  readonly entry: CredentialEntry | undefined;
  readonly users: CredentialUsers;
}

function describe({ name, owner, entry, users }: Owned, known: Known): ListedCredential {
  const { secrets, health, now } = known;
  const live = secrets.filter((row) => row.name === name && row.owner === owner && row.sealed !== null);
  const newest = live.find(({ kind, valid_until }) => valid_until === null && (entry?.kind ?? kind) === kind);
  const fallback = live.find(({ valid_until }) => valid_until !== null && valid_until > now);
  const state = health.find((row) => row.credential === name && row.owner === owner);
  const uses = [...live.map((row) => row.last_used_at), state?.last_used_at].map((time) => time ?? 0);
  const lastUsed = Math.max(0, ...uses);
  return {
    credential: name,
    kind: entry?.kind ?? live[0]?.kind ?? "",
    owner: owner === "" ? "shared" : owner,
    delivery: entry === undefined ? null : deliveryOf(entry),
    servers: users.servers,
    roles: users.roles,
    version: newest?.version ?? null,
    digest: newest?.digest.slice(0, 12) ?? null,
    set_at: timestampOf(newest?.created_at),
    set_by: newest === undefined ? null : (newest.created_by ?? "the broker"),
    fallback_until: timestampOf(fallback?.valid_until),
    last_used_at: timestampOf(lastUsed === 0 ? null : lastUsed),
    expires_at: timestampOf(newest?.expires_at),
    health: judge({ entry, newest, state, now }),
    failing_since: timestampOf(state?.failing_since),
    failure: state?.failure ?? null,
    former: known.former.filter((row) => row.credential === name && row.owner === owner).map(describeFormer),
  };
}

function describeFormer({ secret_version, server, created_at, failure }: MintedCredentialRow): FormerGrant {
  return { version: secret_version, server, since: new Date(created_at).toISOString(), failure };
}

function judge({
  entry,
  newest,
  state,
  now,
}: {
  readonly entry: CredentialEntry | undefined;
  readonly newest: CredentialSecretRow | undefined;
  readonly state: CredentialHealthRow | undefined;
  readonly now: number;
}): Health {
  if (entry === undefined) return "not in the documents";
  if (newest === undefined && needsSecret(entry)) return "not set";
  if ((state?.failing_since ?? null) !== null) return "failing";
  const expiresAt = newest?.expires_at ?? Number.POSITIVE_INFINITY;
  return expiresAt <= now ? "expired" : expiresAt <= now + SOON_MS ? "expires soon" : "good";
}

/** What people set, and what `connect` stores. */
function needsSecret({ kind }: CredentialEntry): boolean {
  return kind === "oauth" || kinds[kind]?.asksFor !== undefined;
}

function timestampOf(milliseconds: number | null | undefined): string | null {
  return milliseconds === null || milliseconds === undefined ? null : new Date(milliseconds).toISOString();
}
