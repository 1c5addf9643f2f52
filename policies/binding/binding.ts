/**
 * Which robot and which roles a verified workload gets: exact equality on every field, the first binding that matches.
 * Everything is refused that is not spelled out; the names in a request only choose among the repository's own robots.
 */
import { compareFields } from "./binding-fields.ts";
import type { Claims } from "../claims.ts";
import type { Mismatch } from "./mismatch.ts";
import { type Policies, type Repository, repositoryKey } from "../policies.ts";
import type { Binding, Robot } from "../documents/robots-document.ts";
import { type SessionLimits, sessionLimitsOf } from "../checks/session-limits.ts";
import { findSubjectMismatch } from "./subject.ts";

export interface BindingRequest {
  /** `OWNER/REPO/NAME` or `NAME`; may be left out where the repository has one robot. */
  readonly robot?: string | undefined;
  /** To get fewer roles than are bound. */
  readonly roles?: readonly string[] | undefined;
}

/** For logs and operators; a caller is told no difference between them. */
type RefusalCode =
  | "claims_contradictory"
  | "repository_unknown"
  | "owner_mismatch"
  | "robot_unnamed"
  | "robot_unknown"
  | "no_binding"
  | "role_not_bound";

interface BindingMismatch extends Mismatch {
  /** Counted from 1; absent where no binding was looked at. */
  readonly binding?: number;
}

export interface BindingRefusal {
  readonly ok: false;
  readonly code: RefusalCode;
  readonly detail: {
    /** `OWNER/REPO/NAME`, once it was clear which robot was meant. */
    readonly robot?: string;
    /** For `no_binding`: of every binding the first field that failed. */
    readonly mismatches: readonly BindingMismatch[];
  };
}

export interface BindingMatch extends SessionLimits {
  readonly ok: true;
  /** `OWNER/REPO/NAME`, with the names of the document. */
  readonly robot: string;
  readonly roles: readonly string[];
  /** All that the binding gives, asked for or not. */
  readonly boundRoles: readonly string[];
  /** The number of the binding that decided, counted from 1. */
  readonly binding: number;
  readonly mode: "enforce" | "observe";
  /** A running session loses what an edit of the documents takes away. */
  readonly revokeOnChange: boolean;
  /** The repository's present name, where it is no longer the document's. */
  readonly renamedTo?: string;
}

export function matchBinding(
  policies: Policies,
  claims: Claims,
  request: BindingRequest,
): BindingMatch | BindingRefusal {
  const contradiction = findContradiction(claims);
  if (contradiction !== undefined) {
    return refuse("claims_contradictory", [contradiction]);
  }
  const repository = policies.repositories.get(repositoryKey(claims.iss, claims.repository_id));
  if (repository === undefined) {
    const got = `${claims.repository_id} of ${claims.iss}`;
    return refuse("repository_unknown", [
      { field: "repository_id", expected: "a provisioned repository", got },
    ]);
  }
  if (repository.ownerId !== claims.repository_owner_id) {
    const { ownerId: expected } = repository;
    return refuse("owner_mismatch", [
      { field: "repository_owner_id", expected, got: claims.repository_owner_id },
    ]);
  }
  const chosen = chooseRobot(repository, claims, request.robot);
  if ("code" in chosen) {
    return chosen;
  }
  const robot = `${repository.name}/${chosen.name}`;
  const mismatches: BindingMismatch[] = [];
  for (const [index, binding] of chosen.robot.bindings.entries()) {
    const mismatch = findMismatch(binding, claims);
    if (mismatch !== undefined) {
      mismatches.push({ binding: index + 1, ...mismatch });
      continue;
    }
    const unbound = request.roles?.find((role) => !binding.roles.includes(role));
    if (unbound !== undefined) {
      const role = { binding: index + 1, field: "roles", expected: binding.roles.join(", "), got: unbound };
      return refuse("role_not_bound", [role], robot);
    }
    const asked = request.roles !== undefined && request.roles.length > 0 ? request.roles : binding.roles;
    return {
      ok: true,
      robot,
      roles: binding.roles.filter((role) => asked.includes(role)),
      boundRoles: binding.roles,
      binding: index + 1,
      mode: binding.mode ?? "enforce",
      revokeOnChange: chosen.robot.session?.revoke_on_change ?? false,
      ...sessionLimitsOf(chosen.robot),
      ...(repository.name === claims.repository ? {} : { renamedTo: claims.repository }),
    };
  }
  return refuse("no_binding", mismatches, robot);
}

/** What GitHub never sends: claims of one token that say two things. */
function findContradiction(claims: Claims): Mismatch | undefined {
  const [owner, name, more] = claims.repository.split("/");
  if (owner !== claims.repository_owner || !name || more !== undefined) {
    return { field: "repository", expected: `${claims.repository_owner}/…`, got: claims.repository };
  }
  return findSubjectMismatch(claims);
}

function chooseRobot(
  repository: Repository,
  claims: Claims,
  asked: string | undefined,
): { name: string; robot: Robot } | BindingRefusal {
  const names = [...repository.robots.keys()];
  if (asked === undefined) {
    const [name = "", another] = names;
    const robot = repository.robots.get(name);
    return robot === undefined || another !== undefined
      ? refuse("robot_unnamed", [{ field: "robot", expected: `one of ${names.join(", ")}`, got: "no name" }])
      : { name, robot };
  }
  const slash = asked.lastIndexOf("/");
  const inRepository = slash < 0 || [repository.name, claims.repository].includes(asked.slice(0, slash));
  const name = asked.slice(slash + 1);
  const robot = inRepository ? repository.robots.get(name) : undefined;
  if (robot === undefined) {
    const expected = `one of ${names.map((each) => `${repository.name}/${each}`).join(", ")}`;
    return refuse("robot_unknown", [{ field: "robot", expected, got: asked }]);
  }
  return { name, robot };
}

/** The first field of a binding that the claims do not equal. */
function findMismatch(binding: Binding, claims: Claims): Mismatch | undefined {
  const failed = compareFields(binding, claims).find(({ matches }) => !matches);
  return failed && { field: failed.field, expected: failed.expected, got: failed.got };
}

function refuse(code: RefusalCode, mismatches: readonly BindingMismatch[], robot?: string): BindingRefusal {
  return { ok: false, code, detail: { ...(robot === undefined ? {} : { robot }), mismatches } };
}

/** The detail of a refusal as one line for logs and operators. It repeats claims: it is not for the caller. */
export function describeRefusal(refusal: BindingRefusal): string {
  const reasons = refusal.detail.mismatches.map(({ binding, field, expected, got }) => {
    const place = binding === undefined ? "" : `binding ${binding}: `;
    return `${place}${field} is ${JSON.stringify(got)}, expected ${JSON.stringify(expected)}`;
  });
  return [
    refusal.code,
    ...(refusal.detail.robot === undefined ? [] : [refusal.detail.robot]),
    reasons.join("; "),
  ].join(": ");
}
