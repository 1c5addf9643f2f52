/**
 * What a schema cannot say about `roles.yaml`: servers exist, conditions compile.
 */
import type * as z from "zod/mini";
import { compileCondition } from "../condition/condition.ts";
import type { PolicyDocument } from "../documents/document.ts";
import { checkRepeated } from "./list-check.ts";
import { suggestNames } from "../documents/nearest-name.ts";
import type { Path, Problem } from "../documents/problem.ts";
import type { Grant, RolesDocument } from "../documents/roles-document.ts";

export function checkRoles(
  document: PolicyDocument<z.infer<typeof RolesDocument>>,
  /** Undefined where servers.yaml could not be read: then nothing is said about servers. */
  servers: ReadonlySet<string> | undefined,
): Problem[] {
  return Object.entries(document.value.roles).flatMap(([name, role]) =>
    role.grants.flatMap((grant, index) => {
      const path = ["roles", name, "grants", index];
      return [
        ...(servers === undefined || servers.has(grant.server)
          ? []
          : [
              document.problemAt(
                [...path, "server"],
                `there is no server "${grant.server}" in servers.yaml: ${suggestNames(grant.server, servers)}`,
              ),
            ]),
        ...checkRepeated(document, [...path, "tools"], grant.tools),
        ...checkWhen(document, path, grant),
      ];
    }),
  );
}

function checkWhen(document: PolicyDocument<unknown>, path: Path, grant: Grant): Problem[] {
  const compiled = grant.when === undefined ? undefined : compileCondition(grant.when);
  if (compiled === undefined || compiled.ok) {
    return [];
  }
  return [document.problemIn([...path, "when"], compiled.offset, compiled.message)];
}
