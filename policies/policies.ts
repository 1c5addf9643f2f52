/**
 * A policy directory, loaded and checked: every name in it resolves, every condition compiles.
 * Everything is looked up in Maps: no name, wherever it comes from, can reach anything else.
 */
import type { PolicyDocument } from "./documents/document.ts";
import type { Robot, RobotsDocument } from "./documents/robots-document.ts";
import type { Role } from "./documents/roles-document.ts";
import type { ServerEntry } from "./documents/servers-document.ts";
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

export type RegisteredServer =
  | { readonly transport: "http"; readonly url: string }
  | {
      readonly transport: "stdio";
      readonly command: string[];
      readonly env: Record<string, string>;
      readonly start: "eager" | "lazy";
    };

/** The registry entries of the servers that a session reaches, by name. */
export function serversOf(policies: Policies, session: SessionPolicy): Record<string, RegisteredServer> {
  return Object.fromEntries(
    Object.keys(session.servers).map((name) => [name, registeredServer(policies, name)]),
  );
}

function registeredServer(policies: Policies, name: string): RegisteredServer {
  const entry = policies.servers.get(name);
  if (entry?.url !== undefined) {
    return { transport: "http", url: entry.url };
  }
  if (entry?.command !== undefined) {
    const { command, env = {}, start = "eager" } = entry;
    return { transport: "stdio", command: [...command], env: { ...env }, start };
  }
  throw new Error(`the policies have no server "${name}"`);
}
