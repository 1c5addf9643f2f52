/**
 * The policy of one session, taken from the documents: the grants of its roles, and what is known of the servers they reach.
 */
import type { Policies } from "./policies.ts";
import type { ServerFacts, SessionFlow, SessionGrant, SessionPolicy } from "./session-policy.ts";
import type { Role } from "./documents/roles-document.ts";

export interface IssuedTo {
  readonly robot: string;
  readonly roles: readonly string[];
  /** Every role of the binding, where there is one: who asks for fewer does not shed the flow rules of the others. */
  readonly boundRoles?: readonly string[];
  readonly mode: "enforce" | "observe";
}

/** Roles count in their order. Throws for a role that is not in the policies: it was bound from them. */
export function sessionPolicyOf(policies: Policies, issued: IssuedTo): SessionPolicy {
  const { robot, roles, boundRoles = roles, mode } = issued;
  const grants = roles.flatMap((name) => grantsOf(name, findRole(policies, name)));
  const flow = [...new Set([...roles, ...boundRoles])].flatMap((name) =>
    flowOf(name, findRole(policies, name)),
  );
  const reached = new Set([
    ...grants.map(({ server }) => server),
    ...(mode === "observe" ? listObservable(policies) : []),
  ]);
  const servers = Object.fromEntries([...reached].map((name) => [name, factsOf(policies, name)]));
  return { v: 1, robot, roles: [...roles], mode, grants, flow, servers };
}

function findRole(policies: Policies, name: string): Role {
  const role = policies.roles.get(name);
  if (role === undefined) {
    throw new Error(`the policies have no role "${name}"`);
  }
  return role;
}

function grantsOf(role: string, { grants }: Role): SessionGrant[] {
  return grants.map(({ server, tools, resources, prompts, asks, when, limit, audit, inspect }, index) => ({
    rule: `${role}#${index + 1}`,
    server,
    ...(tools !== undefined && { tools: [...tools] }),
    ...(resources !== undefined && { resources: [...resources] }),
    ...(prompts !== undefined && { prompts: [...prompts] }),
    ...(asks !== undefined && { asks: [...asks] }),
    ...(when !== undefined && { when }),
    ...(limit !== undefined && { limit: limit.calls }),
    ...(audit !== undefined && { arguments: audit.arguments }),
    ...(inspect !== undefined && { inspect: structuredClone(inspect) }),
  }));
}

function flowOf(role: string, { flow = [] }: Role): SessionFlow[] {
  return flow.map(({ after, deny }, index) => ({
    rule: `${role}~${index + 1}`,
    after: [...after],
    deny: [...deny],
  }));
}

/** The servers of which the registry marks a tool `read_only`: an observed session may look at those. */
function listObservable({ servers }: Policies): string[] {
  return [...servers].flatMap(([name, { tools = {} }]) =>
    Object.values(tools).some((tool) => tool.read_only === true) ? [name] : [],
  );
}

function factsOf({ servers, lock }: Policies, name: string): ServerFacts {
  const { reads, writes, tools } = servers.get(name) ?? {};
  const locked = lock === undefined ? undefined : (lock.get(name) ?? { tools: {} });
  return {
    ...(reads !== undefined && { reads: [...reads] }),
    ...(writes !== undefined && { writes: [...writes] }),
    ...(tools !== undefined && { tools: structuredClone(tools) }),
    ...(locked !== undefined && { lock: structuredClone(locked) }),
  };
}
