/**
 * What is to be presented to one server in one session: which credential, made by which kind, for whom, and for how many
 * sessions the same. It follows from the session and the documents in force, and asks nobody.
 */
import { createHash } from "node:crypto";
import { canonicalize } from "../../../audit/canonical.ts";
import { deliveryOf, ownershipOf } from "../../../policies/delivery.ts";
import type { CredentialEntry, CredentialKindName } from "../../../policies/documents/credential-entry.ts";
import type { Policies } from "../../../policies/policies.ts";
import { claimsOf, serversOfRow } from "../../sessions/session-row.ts";
import type { MintedPlace } from "../../storage/credentials/minted-credentials.ts";
import type { SessionRow } from "../../storage/schema.ts";
import type { CredentialKind, MintFailure, MintingSession } from "../kind.ts";
import { kinds } from "../kinds/all.ts";
import { refused } from "./mint-failure.ts";

export type AnyKind = CredentialKind<CredentialKindName>;

export interface MintTarget {
  readonly place: MintedPlace;
  readonly kind: AnyKind;
  readonly entry: CredentialEntry;
  /** SHA-256 of the entry. */
  readonly basis: string;
  /** The server's; undefined for one that the proxy starts. */
  readonly serverUrl: string | undefined;
  /** Undefined where it serves all sessions of the owner. */
  readonly session: MintingSession | undefined;
  /** Made of the stored secret alone: no issuer is asked, and nothing is kept. */
  readonly isLocal: boolean;
}

export type FoundTarget = { readonly ok: true; readonly target: MintTarget } | MintFailure;

export function findTarget(server: string, row: SessionRow, policies: Policies): FoundTarget {
  const stored = serversOfRow(row)[server];
  const name = stored?.credential;
  if (stored === undefined || name === undefined) {
    return refused(`The server ${server} of this session has no credential.`);
  }
  const entry = policies.credentials.get(name);
  const kind = entry && kindOf(entry);
  if (entry === undefined || kind === undefined) {
    return refused(`The credential ${name} is no longer in the policy documents: add it to servers.yaml.`);
  }
  const isShort = isMintedPerSession(kind, entry);
  if (stored.transport !== "relay" && !isShort && kind.name !== "none") {
    return refused(`The credential ${name} lives long now and is not sent to a runner: run the job again.`);
  }
  const place = {
    credential: name,
    owner: ownershipOf(entry) === "robot" ? row.robot : "",
    session: isShort ? row.id : "",
    server: stored.transport === "stdio" ? "" : stored.url,
  };
  // The secret behind the name may have been set for another server since.
  if (!isNamed(place, policies)) {
    return refused(
      `The documents no longer show the credential ${name} to the server ${server} as this session knows it: run the job again.`,
    );
  }
  return { ok: true, target: describe({ place, kind, entry }, isShort ? mintingSessionOf(row) : undefined) };
}

/** Of one that serves all sessions of its owner; undefined: the documents have no such credential at such a server. */
export function findTargetOf(place: MintedPlace, policies: Policies): MintTarget | undefined {
  const { credential, owner, session, server } = place;
  const entry = policies.credentials.get(credential);
  const kind = entry && kindOf(entry);
  if (entry === undefined || kind === undefined || !isNamed(place, policies)) return undefined;
  if (isMintedPerSession(kind, entry)) return undefined;
  if ((ownershipOf(entry) === "robot") !== (owner !== "")) return undefined;
  return describe({ place: { credential, owner, session, server }, kind, entry }, undefined);
}

/** Whether the documents have this credential at a server that is there; without a URL, at one that the proxy starts. */
function isNamed({ credential, server }: MintedPlace, { servers }: Policies): boolean {
  return [...servers.values()].some((each) => each.credential === credential && (each.url ?? "") === server);
}

function describe(
  { place, kind, entry }: Pick<MintTarget, "place" | "kind" | "entry">,
  session: MintingSession | undefined,
): MintTarget {
  return {
    ...{ place, kind, entry, session },
    basis: createHash("sha256").update(canonicalize(entry)).digest("hex"),
    serverUrl: place.server === "" ? undefined : place.server,
    isLocal: kind.lifetime === "typed" || kind.name === "none",
  };
}

export function kindOf(entry: CredentialEntry): AnyKind | undefined {
  // Each kind is only ever given entries of its own.
  return kinds[entry.kind] as AnyKind | undefined;
}

/** What the broker presents under its own name is the same for all sessions of the owner. */
function isMintedPerSession(kind: AnyKind, entry: CredentialEntry): boolean {
  if (kind.lifetime !== "session" || kind.name === "none") return false;
  return kind.name !== "client-credentials" || deliveryOf(entry) === "runner";
}

function mintingSessionOf(row: SessionRow): MintingSession {
  const claims = claimsOf(row);
  const textOf = (name: string): string => {
    const value = claims[name];
    return typeof value === "string" ? value : "";
  };
  return {
    id: row.id,
    robot: row.robot,
    claims,
    repository: textOf("repository"),
    repositoryId: textOf("repository_id"),
    repositoryOwner: textOf("repository_owner"),
    runId: textOf("run_id"),
    runAttempt: textOf("run_attempt"),
    maxExpiresAt: row.max_expires_at,
  };
}
