/**
 * What a schema cannot say about a document of robots: its place, its roles, and that each binding can match.
 * A binding that outsiders can reach holds roles of read-only tools, or says in writing that it does not.
 */
import { checkRef, findCoveredEvents, suggestTrigger } from "./binding-check.ts";
import type { PolicyDocument } from "../documents/document.ts";
import type { Known } from "./known.ts";
import { checkRepeated } from "./list-check.ts";
import { suggestNames } from "../documents/nearest-name.ts";
import type { Path, Problem } from "../documents/problem.ts";
import type { Binding, RobotsDocument } from "../documents/robots-document.ts";
import { checkSessionLimits } from "./session-limits.ts";
import { isTrustedTrigger, TRUSTED_TRIGGERS } from "./trigger.ts";

type Document = PolicyDocument<RobotsDocument>;

/** `known` is undefined where servers.yaml or roles.yaml could not be read: then nothing is said about roles. */
export function* checkRobots(document: Document, known: Known | undefined): Generator<Problem> {
  const { repository, robots } = document.value;
  if (document.path !== `robots/${repository}.yaml`) {
    yield document.problemAt(
      ["repository"],
      `this file is about ${repository}: it must be robots/${repository}.yaml`,
    );
  }
  for (const [name, robot] of Object.entries(robots)) {
    const limits = checkSessionLimits(robot);
    if (limits !== undefined) {
      yield document.problemAt(["robots", name, "session", limits.key], limits.message);
    }
    for (const [index, binding] of robot.bindings.entries()) {
      const path = ["robots", name, "bindings", index];
      yield* checkBinding({ document, path, binding, earlier: robot.bindings.slice(0, index) });
      yield* known === undefined ? [] : checkBindingRoles({ document, path, binding, known });
    }
  }
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
    ...checkMode(document, path, binding),
  ];
}

/** Who only looks on still lets read-only tools through, whatever the roles say: nobody outside may cause that. */
function checkMode(document: Document, path: Path, binding: Binding): Problem[] {
  const untrusted = binding.events.find((event) => !isTrustedTrigger(event));
  if (binding.mode === "observe" && untrusted !== undefined) {
    const message = `outsiders can cause ${untrusted}${suggestTrigger(untrusted)}: only runs of ${[...TRUSTED_TRIGGERS].join(", ")} can be observed`;
    return [document.problemAt([...path, "mode"], message)];
  }
  if (binding.mode !== "observe" && binding.roles.length === 0) {
    const message = "the list is empty: add a role (only a binding with mode: observe needs none)";
    return [document.problemAt([...path, "roles"], message)];
  }
  return [];
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
    const at = (message: string) => [document.problemAt([...path, "roles", index], message)];
    if (!known.roles.has(name)) {
      return at(`there is no role "${name}" in roles.yaml: ${suggestNames(name, known.roles.keys())}`);
    }
    const reached = known.unmarkedTools.get(name);
    if (untrusted === undefined || reached === undefined || binding.accept_untrusted === true) {
      return [];
    }
    return at(
      `outsiders can cause ${untrusted}${suggestTrigger(untrusted)}, but ${name} reaches ${reached}: ` +
        "give a role of tools that servers.yaml marks read_only (named one by one), or say accept_untrusted: true",
    );
  });
}
