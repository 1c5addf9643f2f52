/**
 * What a schema cannot say about `roles.yaml`: servers exist, a grant names something, conditions compile.
 */
import { compileCondition } from "../condition/condition.ts";
import type { PolicyDocument } from "../documents/document.ts";
import { GRANTED_KINDS } from "./coverage.ts";
import { checkRepeated } from "./list-check.ts";
import { suggestNames } from "../documents/nearest-name.ts";
import type { Path, Problem } from "../documents/problem.ts";
import { checkResource } from "./resource-check.ts";
import type { FlowRule, Grant, RolesDocument } from "../documents/roles-document.ts";

/** One by one: whoever asks for a few pays for no more. */
export function* checkRoles(
  document: PolicyDocument<RolesDocument>,
  /** Undefined where servers.yaml could not be read: then nothing is said about servers. */
  servers: ReadonlySet<string> | undefined,
): Generator<Problem> {
  for (const [name, role] of Object.entries(document.value.roles)) {
    for (const [index, grant] of role.grants.entries()) {
      const path = ["roles", name, "grants", index];
      if (servers !== undefined && !servers.has(grant.server)) {
        yield document.problemAt(
          [...path, "server"],
          `there is no server "${grant.server}" in servers.yaml: ${suggestNames(grant.server, servers)}`,
        );
      }
      yield* checkNamed(document, path, grant);
      yield* checkWhen(document, path, grant);
    }
    for (const [index, rule] of (role.flow ?? []).entries()) {
      yield* checkFlow(document, ["roles", name, "flow", index], rule);
    }
  }
}

function checkNamed(document: PolicyDocument<unknown>, path: Path, grant: Grant): Problem[] {
  if (GRANTED_KINDS.every((kind) => grant[kind] === undefined)) {
    return [
      document.problemAt(
        path,
        `it grants nothing of ${grant.server}: name tools, resources, prompts or asks`,
      ),
    ];
  }
  return [
    ...GRANTED_KINDS.flatMap((kind) => checkRepeated(document, [...path, kind], grant[kind] ?? [])),
    ...(grant.resources ?? []).flatMap((pattern, index) =>
      checkResource(pattern).map((fault) =>
        document.problemIn([...path, "resources", index], fault.index, fault.message),
      ),
    ),
  ];
}

function checkWhen(document: PolicyDocument<unknown>, path: Path, grant: Grant): Problem[] {
  const compiled = grant.when === undefined ? undefined : compileCondition(grant.when);
  if (compiled === undefined || compiled.ok) {
    return [];
  }
  return [document.problemIn([...path, "when"], compiled.offset, compiled.message)];
}

function checkFlow(document: PolicyDocument<unknown>, path: Path, rule: FlowRule): Problem[] {
  return [
    ...checkRepeated(document, [...path, "after"], rule.after),
    ...checkRepeated(document, [...path, "deny"], rule.deny),
  ];
}
