/**
 * What loads, and still should be looked at by the person who reviews a policy.
 */
import type { PolicyDocument } from "../documents/document.ts";
import type { Problem } from "../documents/problem.ts";
import { findUnmarkedTool, type Known } from "./robots-check.ts";
import type { RobotsDocument } from "../documents/robots-document.ts";
import { isTrustedTrigger } from "./trigger.ts";

export function findWarnings(document: PolicyDocument<RobotsDocument>, known: Known): Problem[] {
  return Object.entries(document.value.robots).flatMap(([name, robot]) =>
    robot.bindings.flatMap((binding, index) => {
      const path = ["robots", name, "bindings", index];
      const warnings: Problem[] = [];
      if (binding.accept_untrusted === true) {
        const events = binding.events.filter((event) => !isTrustedTrigger(event)).join(", ");
        const reached = binding.roles.flatMap((role) => {
          const grants = known.roles.get(role);
          return (grants && findUnmarkedTool(grants, known.servers)) ?? [];
        });
        const tools =
          reached.length > 0 ? `tools that may change things (${reached.join(", ")})` : "read-only tools";
        warnings.push(
          document.problemAtKey(
            [...path, "accept_untrusted"],
            `outsiders who can cause ${events} reach ${tools} as ${name}: this was accepted in writing`,
          ),
        );
      }
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
