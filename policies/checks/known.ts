/**
 * What the checks of robots need to know of servers and roles: looked up once for all the bindings there are.
 */
import type { Role } from "../documents/roles-document.ts";
import type { ServerEntry } from "../documents/servers-document.ts";
import { prefixOf } from "../tool-pattern.ts";

type Servers = ReadonlyMap<string, ServerEntry>;

export interface Known {
  readonly servers: Servers;
  readonly roles: ReadonlyMap<string, Role>;
  /** By role: the first that it reaches of tools not marked `read_only` and of what a server may ask for. */
  readonly unmarkedTools: ReadonlyMap<string, string | undefined>;
  /** By role: the first thing it reads that is labelled `private`. */
  readonly privateContent: ReadonlyMap<string, string | undefined>;
}

export function collectKnown(servers: Servers, roles: ReadonlyMap<string, Role>): Known {
  const ofEach = (find: (role: Role) => string | undefined) =>
    new Map([...roles].map(([name, role]) => [name, find(role)]));
  return {
    servers,
    roles,
    unmarkedTools: ofEach((role) => findUnmarkedTool(role, servers)),
    privateContent: ofEach((role) => findPrivateContent(role, servers)),
  };
}

/** What the registry says of one tool. */
export function findFacts(entry: ServerEntry | undefined, tool: string): ToolFacts | undefined {
  return entry?.tools !== undefined && Object.hasOwn(entry.tools, tool) ? entry.tools[tool] : undefined;
}

type ToolFacts = NonNullable<ServerEntry["tools"]>[string];

/**
 * The first tool of a role that the registry does not mark `read_only`. A pattern reaches tools nobody has seen.
 * Resources and prompts are only read, by the protocol: a role of those changes nothing. What a server may ask for, the
 * agent hands out.
 */
export function findUnmarkedTool(role: Role, servers: Servers): string | undefined {
  for (const { server, tools = [], asks = [] } of role.grants) {
    const unmarked =
      tools.find(
        (tool) => prefixOf(tool) !== undefined || findFacts(servers.get(server), tool)?.read_only !== true,
      ) ?? asks.find((ask) => ask !== "logging");
    if (unmarked !== undefined) {
      return `${unmarked} of ${server}`;
    }
  }
  return undefined;
}

function findPrivateContent(role: Role, servers: Servers): string | undefined {
  for (const { server, tools = [], resources = [], prompts = [], asks = [] } of role.grants) {
    const entry = servers.get(server);
    const isPrivate = (reads: readonly string[] | undefined) => (reads ?? entry?.reads)?.includes("private");
    const reached =
      tools.find((tool) => isPrivate(findFacts(entry, tool)?.reads)) ??
      [...resources, ...prompts, ...asks].find(() => isPrivate(undefined));
    if (reached !== undefined) {
      return `${reached} of ${server}`;
    }
  }
  return undefined;
}
