/**
 * Roles that load, and say something else than they do: grants that change nothing, and grants wider than their name.
 */
import { type Coverage, findCovering, indexCoverage, isUnconditional, listEntries } from "./coverage.ts";
import { findFacts } from "./known.ts";
import type { PolicyDocument } from "../documents/document.ts";
import type { Path, Problem } from "../documents/problem.ts";
import type { Grant, RolesDocument } from "../documents/roles-document.ts";
import type { ServerEntry } from "../documents/servers-document.ts";
import { prefixOf } from "../tool-pattern.ts";

type Servers = ReadonlyMap<string, ServerEntry>;
type Document = PolicyDocument<RolesDocument>;

export function* findRolesWarnings(document: Document, servers: Servers): Generator<Problem> {
  for (const [name, role] of Object.entries(document.value.roles)) {
    const path = ["roles", name, "grants"];
    const coverage = indexCoverage(role.grants);
    for (const [index, grant] of role.grants.entries()) {
      yield* findShadow(document, [...path, index], { coverage, grant, position: index });
      yield* findEverything(document, [...path, index], grant);
      yield* isReader(name) ? findWrites(document, [...path, index], { name, grant, servers }) : [];
    }
  }
}

/** A grant with a condition or a limit holds nobody back where another grant allows the same without one. */
function findShadow(
  document: Document,
  path: Path,
  { coverage, grant, position }: { coverage: Coverage; grant: Grant; position: number },
): Problem[] {
  const isConditional = !isUnconditional(grant);
  const covered = listEntries(grant).map((entry) => ({
    entry,
    by: findCovering(coverage, { grant, position }, entry),
  }));
  const numbers = [...new Set(covered.flatMap(({ by }) => (by === undefined ? [] : [by + 1])))];
  if (covered.every(({ by }) => by !== undefined)) {
    const others =
      numbers.length === 1 ? `grant ${numbers[0]} allows` : `grants ${numbers.join(" and ")} allow`;
    const message = isConditional
      ? `${others} all of this without condition or limit, so this one holds nobody back: remove one of them`
      : `${others} all of this already: remove this one`;
    return [document.problemAt(path, message)];
  }
  return covered.flatMap(({ entry: { kind, index, pattern }, by }) => {
    if (by === undefined) {
      return [];
    }
    const message = isConditional
      ? `grant ${by + 1} allows ${pattern} without condition or limit, so this one does not hold it back: remove it from one of them`
      : `grant ${by + 1} allows ${pattern} already: remove it here`;
    return [document.problemAt([...path, kind, index], message)];
  });
}

function findEverything(document: Document, path: Path, grant: Grant): Problem[] {
  const { server, tools = [], resources = [], prompts = [] } = grant;
  const message = (what: string, fix: string) =>
    `this names every ${what} of ${server}, also what it gets tomorrow: ${fix}`;
  return [
    ...tools.flatMap((pattern, index) =>
      pattern === "*"
        ? [document.problemAt([...path, "tools", index], message("tool", "name them, or a prefix"))]
        : [],
    ),
    ...resources.flatMap((pattern, index) =>
      /^[^:]*:\/*\*$/.test(pattern)
        ? [document.problemAt([...path, "resources", index], message("resource", "name a longer beginning"))]
        : [],
    ),
    ...prompts.flatMap((pattern, index) =>
      pattern === "*"
        ? [document.problemAt([...path, "prompts", index], message("prompt", "name them, or a prefix"))]
        : [],
    ),
  ];
}

/** A name that promises that nothing is changed. */
function isReader(role: string): boolean {
  return /(?:^|[-_])(?:read|reader|reads|readonly|ro|view|viewer)(?:[-_]|$)/.test(role);
}

function findWrites(
  document: Document,
  path: Path,
  { name, grant, servers }: { name: string; grant: Grant; servers: Servers },
): Problem[] {
  return (grant.tools ?? []).flatMap((tool, index) => {
    if (prefixOf(tool) === undefined && findFacts(servers.get(grant.server), tool)?.read_only === true) {
      return [];
    }
    const message =
      prefixOf(tool) === undefined
        ? `servers.yaml does not say that ${tool} of ${grant.server} is read_only: mark it there, or do not call the role ${name}`
        : `${tool} reaches whatever ${grant.server} names like that, also what changes things: name the tools one by one, or do not call the role ${name}`;
    return [document.problemAt([...path, "tools", index], message)];
  });
}
