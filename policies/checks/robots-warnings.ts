/**
 * Bindings: what loads, and still should be looked at by the person who reviews a policy.
 */
import type { PolicyDocument } from "../documents/document.ts";
import type { Path, Problem } from "../documents/problem.ts";
import type { Known } from "./known.ts";
import type { Binding, RobotsDocument } from "../documents/robots-document.ts";
import { isTrustedTrigger } from "./trigger.ts";

export function findRobotsWarnings(document: PolicyDocument<RobotsDocument>, known: Known): Problem[] {
  return Object.entries(document.value.robots).flatMap(([name, robot]) =>
    robot.bindings.flatMap((binding, index) => {
      const path = ["robots", name, "bindings", index];
      const warnings: Problem[] = [];
      if (binding.accept_untrusted === true) {
        const events = binding.events.filter((event) => !isTrustedTrigger(event)).join(", ");
        const reached = binding.roles.flatMap((role) => known.unmarkedTools.get(role) ?? []);
        const tools =
          reached.length > 0 ? `tools that may change things (${reached.join(", ")})` : "read-only tools";
        warnings.push(
          document.problemAtKey(
            [...path, "accept_untrusted"],
            `outsiders who can cause ${events} reach ${tools} as ${name}: this was accepted in writing`,
          ),
        );
      }
      warnings.push(...findPrivate(document, path, { binding, known }));
      if (binding.job_workflow_ref !== undefined && !/@[0-9a-f]{40}$/.test(binding.job_workflow_ref)) {
        warnings.push(
          document.problemAt(
            [...path, "job_workflow_ref"],
            "whoever can move this branch or tag decides what runs as the robot: name a commit",
          ),
        );
      }
      return warnings;
    }),
  );
}

/** Whoever causes a run also writes what it is about: what the run reads, they may get to see. */
function findPrivate(
  document: PolicyDocument<RobotsDocument>,
  path: Path,
  { binding, known }: { binding: Binding; known: Known },
): Problem[] {
  const untrusted = binding.events.find((event) => !isTrustedTrigger(event));
  return untrusted === undefined
    ? []
    : binding.roles.flatMap((name, index) => {
        const reached = known.privateContent.get(name);
        return reached === undefined
          ? []
          : [
              document.problemAt(
                [...path, "roles", index],
                `outsiders who can cause ${untrusted} have ${name} read what servers.yaml calls private (${reached}): give a role without it`,
              ),
            ];
      });
}
