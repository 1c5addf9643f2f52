/**
 * A policy directory, loaded and checked: every name in it resolves, every condition compiles.
 * Everything is looked up in Maps: no name, wherever it comes from, can reach anything else.
 */
import { type Delivery, deliveryOf } from "./delivery.ts";
import type { CredentialEntry } from "./documents/credential-entry.ts";
import type { PolicyDocument } from "./documents/document.ts";
import { readLimits } from "./documents/limits-fields.ts";
import type { Robot, RobotsDocument } from "./documents/robots-document.ts";
import type { Role } from "./documents/roles-document.ts";
import type { ServerEntry } from "./documents/servers-document.ts";
import type { ServerLimits } from "./server-limits.ts";
import type { ServerFacts, SessionPolicy } from "./session-policy.ts";

/** The robots of one repository. */
export interface Repository {
  /** The document they stand in. */
  readonly file: string;
  readonly issuer: string;
  /** The name it had when it was provisioned; the ids decide. */
  readonly name: string;
  readonly id: string;
  readonly ownerId: string;
  readonly robots: ReadonlyMap<string, Robot>;
}

export interface Policies {
  readonly servers: ReadonlyMap<string, ServerEntry>;
  readonly credentials: ReadonlyMap<string, CredentialEntry>;
  readonly roles: ReadonlyMap<string, Role>;
  /** By `repositoryKey`. */
  readonly repositories: ReadonlyMap<string, Repository>;
  /** The reviewed tool definitions, by server; undefined where the directory has no lanyard.lock. */
  readonly lock: ReadonlyMap<string, NonNullable<ServerFacts["lock"]>> | undefined;
}

/** Ids are unique per issuer only. */
export function repositoryKey(issuer: string, repositoryId: string): string {
  return JSON.stringify([issuer, repositoryId]);
}

export function repositoryOf(document: PolicyDocument<RobotsDocument>): Repository {
  const { issuer, repository, repository_id, repository_owner_id, robots } = document.value;
  return {
    file: document.path,
    issuer,
    name: repository,
    id: repository_id,
    ownerId: repository_owner_id,
    robots: new Map(Object.entries(robots)),
  };
}

/** `credential` is the name of the one that it wants to see. */
export type RegisteredServer = { readonly limits?: ServerLimits } /** The runner reaches it by itself. */ & (
  | { readonly transport: "http"; readonly url: string; readonly credential?: string }
  /** The runner asks the broker, which presents the credential and reaches the server. */
  | { readonly transport: "relay"; readonly url: string; readonly credential: string }
  | {
      readonly transport: "stdio";
      readonly command: string[];
      readonly env: Record<string, string>;
      readonly start: "eager" | "lazy";
      readonly credential?: string;
    }
);

/** The registry entries of the servers that a session reaches, by name. */
export function serversOf(policies: Policies, session: SessionPolicy): Record<string, RegisteredServer> {
  return Object.fromEntries(
    Object.keys(session.servers).map((name) => [name, registeredServer(policies, name)]),
  );
}

function registeredServer(policies: Policies, name: string): RegisteredServer {
  const entry = policies.servers.get(name);
  const set = readLimits(entry?.limits);
  const limits = set === undefined ? {} : { limits: set };
  const { credential } = entry ?? {};
  const delivery = credential === undefined ? undefined : findDelivery(policies, credential);
  const named = credential === undefined ? {} : { credential };
  if (entry?.url !== undefined) {
    return credential !== undefined && delivery === "broker"
      ? { transport: "relay", url: entry.url, credential, ...limits }
      : { transport: "http", url: entry.url, ...named, ...limits };
  }
  if (entry?.command !== undefined) {
    const { command, env = {}, start = "eager" } = entry;
    return { transport: "stdio", command: [...command], env: { ...env }, start, ...named, ...limits };
  }
  throw new Error(`the policies have no server "${name}"`);
}

/** Throws for a name that the policies do not have: every one that a server names was checked. */
function findDelivery({ credentials }: Policies, name: string): Delivery {
  const entry = credentials.get(name);
  if (entry === undefined) {
    throw new Error(`the policies have no credential "${name}"`);
  }
  return deliveryOf(entry);
}
