/**
 * Which robot a job gets and why, as an operator reads it: every binding of every robot it could mean, field by field,
 * and beside it what the broker decides.
 */
import { type BindingRequest, describeRefusal, matchBinding } from "../../../policies/binding/binding.ts";
import { type FieldComparison, compareFields } from "../../../policies/binding/binding-fields.ts";
import type { Claims } from "../../../policies/claims.ts";
import { type Policies, repositoryKey } from "../../../policies/policies.ts";

interface ExplainedBinding {
  /** Counted from 1. */
  readonly binding: number;
  readonly matches: boolean;
  readonly roles: readonly string[];
  readonly fields: readonly FieldComparison[];
}

export interface ExplainedRobot {
  /** `OWNER/REPO/NAME`. */
  readonly robot: string;
  readonly bindings: readonly ExplainedBinding[];
}

export interface ExplainedMatch {
  readonly decision:
    | {
        readonly ok: true;
        readonly robot: string;
        readonly binding: number;
        readonly roles: readonly string[];
      }
    | { readonly ok: false; readonly reason: string; readonly detail: string };
  /** The document of the repository, where there is one. */
  readonly file: string | undefined;
  readonly robots: readonly ExplainedRobot[];
}

export function explainBinding(policies: Policies, claims: Claims, request: BindingRequest): ExplainedMatch {
  const match = matchBinding(policies, claims, request);
  const repository = policies.repositories.get(repositoryKey(claims.iss, claims.repository_id));
  const asked = request.robot?.slice(request.robot.lastIndexOf("/") + 1);
  const robots = [...(repository?.robots ?? [])].filter(([name]) => asked === undefined || name === asked);
  return {
    decision: match.ok
      ? { ok: true, robot: match.robot, binding: match.binding, roles: match.roles }
      : { ok: false, reason: match.code, detail: describeRefusal(match) },
    file: repository?.file,
    robots: robots.map(([name, robot]) => ({
      robot: `${repository?.name}/${name}`,
      bindings: robot.bindings.map((binding, index) => {
        const fields = compareFields(binding, claims);
        return {
          binding: index + 1,
          matches: fields.every(({ matches }) => matches),
          roles: binding.roles,
          fields,
        };
      }),
    })),
  };
}
