/**
 * What a schema cannot say about a document of robots: its place, its roles, and that each binding can match.
 * A binding that outsiders can reach holds roles of read-only tools, or says in writing that it does not.
 */
import { checkRef, findCoveredEvents, suggestTrigger } from "./binding-check.ts";
import type { PolicyDocument } from "../documents/document.ts";
import { checkRepeated } from "./list-check.ts";
import { suggestNames } from "../documents/nearest-name.ts";
import type { Path, Problem } from "../documents/problem.ts";
import type { Binding, RobotsDocument } from "../documents/robots-document.ts";
import type { Role } from "../documents/roles-document.ts";
import type { ServerEntry } from "../documents/servers-document.ts";
import { checkSessionLimits } from "./session-limits.ts";
import { prefixOf } from "../tool-pattern.ts";
import { isTrustedTrigger } from "./trigger.ts";

export interface Known {
  readonly servers: ReadonlyMap<string, ServerEntry>;
  readonly roles: ReadonlyMap<string, Role>;
}

type Document = PolicyDocument<RobotsDocument>;

/** `known` is undefined where servers.yaml or roles.yaml could not be read: then nothing is said about roles. */
export function checkRobots(document: Document, known: Known | undefined): Problem[] {
  const { repository, robots } = document.value;
  const problems: Problem[] = [];
  if (document.path !== `robots/${repository}.yaml`) {
    problems.push(
      document.problemAt(
        ["repository"],
        `this file is about ${repository}: it must be robots/${repository}.yaml`,
      ),
    );
  }
  for (const [name, robot] of Object.entries(robots)) {
    const limits = checkSessionLimits(robot);
    if (limits !== undefined) {
      problems.push(document.problemAt(["robots", name, "session", limits.key], limits.message));
    }
    for (const [index, binding] of robot.bindings.entries()) {
      const path = ["robots", name, "bindings", index];
      problems.push(
        ...checkBinding({ document, path, binding, earlier: robot.bindings.slice(0, index) }),
        ...(known === undefined ? [] : checkBindingRoles({ document, path, binding, known })),
      );
    }
  }
  return problems;
}

function checkBinding(place: {
  document: Document;
  path: Path;
  binding: Binding;
  earlier: readonly Binding[];
}): Problem[] {
  const { document, path, binding } = place;
  const covered = findCoveredEvents(binding, place.earlier);
  const trusted = binding.events.every(isTrustedTrigger);
  return [
    ...checkRepeated(document, [...path, "events"], binding.events),
    ...checkRepeated(document, [...path, "roles"], binding.roles),
    ...checkRef(binding).map((fault) => document.problemAt([...path, ...fault.path], fault.message)),
    ...(covered.length === binding.events.length
      ? [
          document.problemAt(
            path,
            `this binding never matches: binding ${covered[0]?.by} always decides before it`,
          ),
        ]
      : covered.map(({ event, by }) =>
          document.problemAt(
            [...path, "events", event],
            `never reached: binding ${by} always decides before it`,
          ),
        )),
    ...(binding.accept_untrusted === true && trusted
      ? [
          document.problemAtKey(
            [...path, "accept_untrusted"],
            "no event here can be caused by outsiders: remove it",
          ),
        ]
      : []),
  ];
}

function checkBindingRoles(place: {
  document: Document;
  path: Path;
  binding: Binding;
  known: Known;
}): Problem[] {
  const { document, path, binding, known } = place;
  const untrusted = binding.events.find((event) => !isTrustedTrigger(event));
  return binding.roles.flatMap((name, index) => {
    const role = known.roles.get(name);
    const at = (message: string) => [document.problemAt([...path, "roles", index], message)];
    if (role === undefined) {
      return at(`there is no role "${name}" in roles.yaml: ${suggestNames(name, known.roles.keys())}`);
    }
    const reached = findUnmarkedTool(role, known.servers);
    if (untrusted === undefined || reached === undefined || binding.accept_untrusted === true) {
      return [];
    }
    return at(
      `outsiders can cause ${untrusted}${suggestTrigger(untrusted)}, but ${name} reaches ${reached}: ` +
        "give a role of tools that servers.yaml marks read_only (named one by one), or say accept_untrusted: true",
    );
  });
}

/** The first tool of a role that the registry does not mark `read_only`. A pattern reaches tools nobody has seen. */
export function findUnmarkedTool(role: Role, servers: ReadonlyMap<string, ServerEntry>): string | undefined {
  for (const { server, tools } of role.grants) {
    const marked = new Map(Object.entries(servers.get(server)?.tools ?? {}));
    const unmarked = tools.find(
      (tool) => prefixOf(tool) !== undefined || marked.get(tool)?.read_only !== true,
    );
    if (unmarked !== undefined) {
      return `${unmarked} of ${server}`;
    }
  }
  return undefined;
}
