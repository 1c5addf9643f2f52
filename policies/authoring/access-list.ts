/**
 * Who can call what: for every robot and each of its bindings, the grants that its runs get, server by server.
 * Filters leave what can reach the named thing: the answer to "who can call X".
 */
import { type IssuedTo, sessionPolicyOf } from "../issuing.ts";
import { compileResource, matchesResource } from "../resource-pattern.ts";
import type { Policies, Repository } from "../policies.ts";
import { describePresented, presentedBy } from "./credential-difference.ts";
import type { Binding } from "../documents/robots-document.ts";
import { type SessionLimits, sessionLimitsOf } from "../checks/session-limits.ts";
import type { SessionFlow, SessionGrant, SessionPolicy } from "../session-policy.ts";
import { prefixOf } from "../tool-pattern.ts";

export interface AccessFilter {
  /** `OWNER/REPO/NAME`, `OWNER/REPO` or `NAME`. */
  readonly robot?: string | undefined;
  readonly server?: string | undefined;
  /** The name of a tool or prompt, the URI of a resource, or what a server asks for. */
  readonly name?: string | undefined;
}

export interface Access {
  readonly robot: string;
  /** The document it stands in. */
  readonly file: string;
  /** Counted from 1. */
  readonly number: number;
  readonly binding: Binding;
  readonly roles: readonly string[];
  readonly mode: "enforce" | "observe";
  readonly limits: SessionLimits;
  readonly grants: readonly SessionGrant[];
  readonly flow: readonly SessionFlow[];
  /** Tools that pass without a grant, as they are only looked at. */
  readonly observed: readonly { readonly server: string; readonly tool: string }[];
  /** By server: the credential that it is shown, its kind, whose it is, and where it is used. */
  readonly credentials: Readonly<Record<string, string>>;
}

export function listAccess(policies: Policies, filter: AccessFilter = {}): Access[] {
  const repositories = [...policies.repositories.values()].sort((a, b) => (a.file < b.file ? -1 : 1));
  return repositories.flatMap((repository) =>
    [...repository.robots].flatMap(([name, robot]) =>
      isMeant(repository, name, filter.robot)
        ? robot.bindings.map((binding, index): Access => {
            const id = `${repository.name}/${name}`;
            const mode = binding.mode ?? "enforce";
            return {
              robot: id,
              file: repository.file,
              number: index + 1,
              binding,
              limits: sessionLimitsOf(robot),
              ...accessOf(policies, { robot: id, roles: binding.roles, mode }, filter),
            };
          })
        : [],
    ),
  );
}

type Granted = Pick<Access, "roles" | "mode" | "grants" | "flow" | "observed" | "credentials">;

function accessOf(policies: Policies, issued: IssuedTo, { server, name }: AccessFilter): Granted {
  const source = sessionPolicyOf(policies, issued);
  const isServer = (each: string): boolean => server === undefined || each === server;
  return {
    roles: source.roles,
    mode: source.mode,
    flow: source.flow,
    grants: source.grants.filter(
      (grant) => isServer(grant.server) && (name === undefined || canName(grant, name)),
    ),
    observed: listObserved(source).filter(
      (each) => isServer(each.server) && (name === undefined || each.tool === name),
    ),
    credentials: Object.fromEntries(
      Object.keys(source.servers).flatMap((each) => {
        const presented = isServer(each)
          ? presentedBy(policies, policies.servers.get(each) ?? {})
          : undefined;
        return presented === undefined ? [] : [[each, describePresented(presented)]];
      }),
    ),
  };
}

/** The tools that pass in mode observe whatever the roles say. */
export function listObserved(source: SessionPolicy): { server: string; tool: string }[] {
  return source.mode === "enforce"
    ? []
    : Object.entries(source.servers).flatMap(([server, { tools = {} }]) =>
        Object.entries(tools).flatMap(([tool, facts]) =>
          facts.read_only === true ? [{ server, tool }] : [],
        ),
      );
}

/** Whether a grant names it for some run: what a run fills in is taken for anything. */
function canName(
  { tools = [], prompts = [], asks = [], resources = [] }: SessionGrant,
  name: string,
): boolean {
  const named = [...tools, ...prompts, ...asks].some((pattern) => {
    const prefix = prefixOf(pattern);
    return prefix === undefined ? pattern === name : name.startsWith(prefix);
  });
  return named || resources.some((pattern) => canNameResource(pattern, name));
}

function canNameResource(pattern: string, uri: string): boolean {
  const variable = pattern.indexOf("{run.");
  if (variable >= 0) {
    return uri === pattern || uri.startsWith(pattern.slice(0, variable));
  }
  const compiled = compileResource(pattern, new Map());
  return compiled !== undefined && matchesResource(compiled, uri);
}

function isMeant({ name: repository }: Repository, robot: string, asked: string | undefined): boolean {
  return asked === undefined || [robot, repository, `${repository}/${robot}`].includes(asked);
}
