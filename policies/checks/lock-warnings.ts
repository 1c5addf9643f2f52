/**
 * Where `lanyard.lock` and the documents beside it do not fit: names that no review knows, and names of two servers.
 */
import type { PolicyDocument } from "../documents/document.ts";
import { suggestNames } from "../documents/nearest-name.ts";
import type { Problem } from "../documents/problem.ts";
import type { RolesDocument } from "../documents/roles-document.ts";
import type { ServersDocument } from "../documents/servers-document.ts";
import type { Lock } from "../lock/lock.ts";
import { prefixOf } from "../tool-pattern.ts";

export interface LockedDocuments {
  readonly servers: PolicyDocument<ServersDocument>;
  readonly roles: PolicyDocument<RolesDocument>;
  readonly lock: PolicyDocument<Lock>;
}

export function* findLockWarnings({ servers, roles, lock }: LockedDocuments): Generator<Problem> {
  const locked = lock.value.servers;
  const findUnknown = (server: string, tool: string): string | undefined => {
    const tools = locked.get(server)?.tools;
    return tools === undefined || tools.has(tool)
      ? undefined
      : `lanyard.lock has no reviewed tool "${tool}" of ${server}, so it does not exist for agents: ${suggestNames(tool, tools.keys())}`;
  };
  for (const [server, { tools = {} }] of Object.entries(servers.value.servers)) {
    if (!locked.has(server)) {
      yield servers.problemAtKey(
        ["servers", server],
        "lanyard.lock does not have this server, so none of its tools exists for agents: run lanyard policy lock",
      );
    }
    for (const tool of Object.keys(tools)) {
      const message = findUnknown(server, tool);
      if (message !== undefined) {
        yield servers.problemAtKey(["servers", server, "tools", tool], message);
      }
    }
  }
  for (const [name, { grants }] of Object.entries(roles.value.roles)) {
    for (const [index, { server, tools = [] }] of grants.entries()) {
      for (const [entry, tool] of tools.entries()) {
        const message = prefixOf(tool) === undefined ? findUnknown(server, tool) : undefined;
        if (message !== undefined) {
          yield roles.problemAt(["roles", name, "grants", index, "tools", entry], message);
        }
      }
    }
  }
  yield* findTwins(lock);
  for (const server of locked.keys()) {
    if (!Object.hasOwn(servers.value.servers, server)) {
      yield lock.problemAtKey(
        ["servers", server],
        `there is no server "${server}" in servers.yaml: run lanyard policy lock`,
      );
    }
  }
}

/** Names that a message lists. */
const mostNames = 5;

/** An agent that has both takes one for the other: that is how a server gets calls that were meant for another. */
function* findTwins(lock: PolicyDocument<Lock>): Generator<Problem> {
  const firstOf = new Map<string, string>();
  for (const [server, { tools }] of lock.value.servers) {
    const shared = new Map<string, string[]>();
    for (const tool of tools.keys()) {
      const first = firstOf.get(tool);
      if (first === undefined) {
        firstOf.set(tool, server);
      } else {
        shared.set(first, [...(shared.get(first) ?? []), tool]);
      }
    }
    for (const [first, names] of shared) {
      const more = names.length > mostNames ? ` and ${names.length - mostNames} more` : "";
      yield lock.problemAtKey(
        ["servers", server],
        `${first} has tools of the same name (${names.slice(0, mostNames).join(", ")}${more}): ` +
          "an agent can take one for the other, grant each name on one of the two servers",
      );
    }
  }
}
